SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT window_end, COUNT(DISTINCT k) AS dk, COUNT(DISTINCT v) AS dv, COUNT(*) FILTER (WHERE ok) AS fo, SUM(v) FILTER (WHERE v > 0) AS sp, COUNT(DISTINCT n) FILTER (WHERE k = 'a') AS dn FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
