SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, window_start, window_end, window_time FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)) WHERE n > 0;
