CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT UPPER(k) AS u, v / 2 AS h, COUNT(*) * 10 AS n, SUM(v) + MAX(id) AS m FROM bids GROUP BY UPPER(k), v / 2;
