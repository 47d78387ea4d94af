SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT window_start, COUNT(DISTINCT k) AS dk, COUNT(DISTINCT n) AS dn, MAX(k) AS mk FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)) GROUP BY window_start, window_end;
