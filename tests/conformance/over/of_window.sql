CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT window_time, k, SUM(n) OVER (PARTITION BY k ORDER BY window_time) AS s FROM (SELECT window_time, k, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end, window_time, k);
