-- FILTER: each aggregate has rows of its own; a condition that is NULL takes none.
CREATE TABLE t (
  id BIGINT, k STRING, g INT, v BIGINT, d DOUBLE, p DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, window_end, COUNT(*) FILTER (WHERE v > 0) AS pos, COUNT(*) FILTER (WHERE v < 0 OR b) AS o, SUM(v) FILTER (WHERE b IS NOT TRUE) AS nt, MIN(p) FILTER (WHERE k = 'never') AS never, COUNT(v) FILTER (WHERE FALSE) AS f, AVG(d) FILTER (WHERE p > 0) AS a FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
