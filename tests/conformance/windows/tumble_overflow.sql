-- Sums of integers overflow silently; those of AVG are wider.
CREATE TABLE t (k STRING, a TINYINT, b SMALLINT, c INT, e BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, SUM(a) AS a, SUM(b) AS b, SUM(c) AS c, SUM(e) AS e, AVG(a) AS aa, AVG(c) AS ac FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
