CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, window_end, MAX(n) AS m FROM (SELECT k, ok, window_start, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, ok, window_start, window_end) GROUP BY k, window_end;
