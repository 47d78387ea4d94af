CREATE TABLE bids (
  id BIGINT, k STRING, c STRING NOT NULL, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, TUMBLE_END(ts, INTERVAL '10' SECOND) AS we, SUM(v) + 1 AS s FROM bids WHERE c = 'x' GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND) HAVING COUNT(*) > 1;
