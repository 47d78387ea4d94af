CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, v - AVG(v) OVER (PARTITION BY UPPER(k) ORDER BY ts) AS diff, COUNT(v + 1) OVER (PARTITION BY UPPER(k) ORDER BY ts) * 2 AS n FROM bids WHERE id > 3;
