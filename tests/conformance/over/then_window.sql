CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT window_end, SUM(n) AS s FROM TABLE(TUMBLE((SELECT ts, COUNT(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM bids), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
