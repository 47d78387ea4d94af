CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT TUMBLE_W.window_start, SUM(n) AS total FROM TABLE(TUMBLE((SELECT k, window_time AS wt, COUNT(*) AS n FROM TABLE(SESSION(TABLE bids PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end, window_time), DESCRIPTOR(wt), INTERVAL '20' SECOND)) AS TUMBLE_W GROUP BY TUMBLE_W.window_start, TUMBLE_W.window_end;
