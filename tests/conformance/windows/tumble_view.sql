CREATE TABLE t (
  id BIGINT, k STRING, g INT, v BIGINT, d DOUBLE, p DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE TEMPORARY VIEW w AS SELECT id, UPPER(k) AS u, ts FROM t WHERE v IS NOT NULL;
SELECT u, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE w, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY u, window_start, window_end;
