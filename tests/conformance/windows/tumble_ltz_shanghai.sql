-- A zone ahead of UTC.
SET 'table.local-time-zone' = 'Asia/Shanghai';
CREATE TABLE t (
  k STRING, ms BIGINT, v BIGINT, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, window_start, window_end, window_time, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '8' HOUR)) GROUP BY k, window_start, window_end, window_time;
