CREATE TABLE t (
  k STRING, a TINYINT, b SMALLINT, c INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(5, 1), i DECIMAL(20, 10), j DECIMAL(38, 18),
  o BOOLEAN, q DATE, r TIME, u TIMESTAMP(6), w TIMESTAMP_LTZ(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json', 'json.timestamp-format.standard' = 'SQL');
SELECT k, window_end, AVG(a) AS a, AVG(b) AS b, AVG(c) AS c, AVG(e) AS e, AVG(f) AS f, AVG(g) AS g, AVG(h) AS h, AVG(i) AS i, AVG(j) AS j FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)) GROUP BY k, window_start, window_end;
