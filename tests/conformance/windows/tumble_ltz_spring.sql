-- Hours in which clocks change in spring.
SET 'table.local-time-zone' = 'America/New_York';
CREATE TABLE t (
  k STRING, ms BIGINT, v BIGINT, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n, MIN(v) AS f, MAX(v) AS l FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;
