CREATE TABLE t (
  id BIGINT, k STRING, g INT, v BIGINT, d DOUBLE, p DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE TEMPORARY VIEW w AS SELECT k, window_time AS rt, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY k, window_start, window_end, window_time;
SELECT window_start, window_end, AVG(n) AS a, COUNT(DISTINCT k) AS k FROM TABLE(HOP(TABLE w, DESCRIPTOR(rt), INTERVAL '4' SECOND, INTERVAL '8' SECOND)) GROUP BY window_start, window_end;
