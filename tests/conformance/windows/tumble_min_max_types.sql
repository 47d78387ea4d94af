-- MIN and MAX of every type that has an order; a group of NULLs alone gives NULL.
CREATE TABLE t (
  k STRING, a TINYINT, b SMALLINT, c INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(5, 1), i DECIMAL(20, 10), j DECIMAL(38, 18),
  o BOOLEAN, q DATE, r TIME, u TIMESTAMP(6), w TIMESTAMP_LTZ(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json', 'json.timestamp-format.standard' = 'SQL');
SELECT k, window_end, MIN(a) AS a0, MAX(a) AS a1, MIN(b) AS b0, MAX(b) AS b1, MIN(c) AS c0, MAX(c) AS c1, MIN(e) AS e0, MAX(e) AS e1, MIN(f) AS f0, MAX(f) AS f1, MIN(g) AS g0, MAX(g) AS g1, MIN(h) AS h0, MAX(h) AS h1, MIN(i) AS i0, MAX(i) AS i1, MIN(j) AS j0, MAX(j) AS j1, MIN(o) AS o0, MAX(o) AS o1, MIN(q) AS q0, MAX(q) AS q1, MIN(r) AS r0, MAX(r) AS r1, MIN(u) AS u0, MAX(u) AS u1, MIN(w) AS w0, MAX(w) AS w1 FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
