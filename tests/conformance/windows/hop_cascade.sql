-- Tumbling over hopping windows.
CREATE TABLE t (
  id BIGINT, k STRING, g INT, v BIGINT, d DOUBLE, p DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE TEMPORARY VIEW w AS SELECT k, window_time AS rt, COUNT(*) AS n FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)) GROUP BY k, window_start, window_end, window_time;
SELECT window_start, window_end, SUM(n) AS s, MAX(n) AS m FROM TABLE(TUMBLE(TABLE w, DESCRIPTOR(rt), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
