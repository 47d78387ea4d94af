-- COUNT(DISTINCT) of every type.
CREATE TABLE t (
  k STRING, a TINYINT, b SMALLINT, c INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(5, 1), i DECIMAL(20, 10), j DECIMAL(38, 18),
  o BOOLEAN, q DATE, r TIME, u TIMESTAMP(6), w TIMESTAMP_LTZ(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json', 'json.timestamp-format.standard' = 'SQL');
SELECT k, window_end, COUNT(DISTINCT a) AS a, COUNT(DISTINCT c) AS c, COUNT(DISTINCT f) AS f, COUNT(DISTINCT h) AS h, COUNT(DISTINCT j) AS j, COUNT(DISTINCT o) AS o, COUNT(DISTINCT q) AS q, COUNT(DISTINCT r) AS r, COUNT(DISTINCT u) AS u, COUNT(DISTINCT w) AS w FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
