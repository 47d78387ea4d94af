CREATE TABLE t (
  id BIGINT, k STRING, g INT, v BIGINT, d DOUBLE, p DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, SUM(v * 2 + 1) AS a, MAX(CASE WHEN b THEN v ELSE -v END) AS c, SUM(CAST(b AS INT)) AS e, CAST(SUM(p) AS DOUBLE) / COUNT(*) AS f, MIN(ABS(d)) AS h, window_end FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
