CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, k, ts, COUNT(*) OVER (PARTITION BY k ORDER BY ts) AS n, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s, AVG(price) OVER (PARTITION BY k ORDER BY ts) AS a, MIN(v) OVER (PARTITION BY k ORDER BY ts) AS lo, MAX(price) OVER (PARTITION BY k ORDER BY ts) AS hi FROM bids;
