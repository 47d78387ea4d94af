-- The bounds may stand anywhere among the keys.
CREATE TABLE t (
  id BIGINT, k STRING, g INT, v BIGINT, d DOUBLE, p DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT COUNT(*) AS n, window_end, k, window_start FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_end, k, window_start;
