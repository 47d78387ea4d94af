-- SUM of every numeric type keeps the type, and makes decimals wide.
CREATE TABLE t (
  k STRING, a TINYINT, b SMALLINT, c INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(5, 1), i DECIMAL(20, 10), j DECIMAL(38, 18),
  o BOOLEAN, q DATE, r TIME, u TIMESTAMP(6), w TIMESTAMP_LTZ(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json', 'json.timestamp-format.standard' = 'SQL');
SELECT k, window_end, SUM(a) AS a, SUM(b) AS b, SUM(c) AS c, SUM(e) AS e, SUM(f) AS f, SUM(g) AS g, SUM(h) AS h, SUM(i) AS i, SUM(j) AS j FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
