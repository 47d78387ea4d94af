CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, MAX(c) OVER (PARTITION BY k ORDER BY ts) AS m, MIN(c) OVER (PARTITION BY k ORDER BY ts) AS l, LAST_VALUE(c) OVER (PARTITION BY k ORDER BY ts) AS lv, FIRST_VALUE(v) OVER (PARTITION BY k ORDER BY ts) AS fv FROM bids;
