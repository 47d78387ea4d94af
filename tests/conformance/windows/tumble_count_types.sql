-- COUNT of a column leaves NULL out.
CREATE TABLE t (
  k STRING, a TINYINT, b SMALLINT, c INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(5, 1), i DECIMAL(20, 10), j DECIMAL(38, 18),
  o BOOLEAN, q DATE, r TIME, u TIMESTAMP(6), w TIMESTAMP_LTZ(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json', 'json.timestamp-format.standard' = 'SQL');
SELECT k, window_end, COUNT(*) AS n, COUNT(a) AS a, COUNT(b) AS b, COUNT(c) AS c, COUNT(e) AS e, COUNT(f) AS f, COUNT(g) AS g, COUNT(h) AS h, COUNT(i) AS i, COUNT(j) AS j, COUNT(o) AS o, COUNT(q) AS q, COUNT(r) AS r, COUNT(u) AS u, COUNT(w) AS w FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
