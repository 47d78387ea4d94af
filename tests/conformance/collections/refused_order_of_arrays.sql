-- expect: refused
CREATE TABLE t (
  id INT, a ARRAY<INT>, b ARRAY<INT>, s ARRAY<STRING>, m MAP<STRING, INT>, k MAP<STRING, INT>, r ROW<x INT, y STRING, z ROW<u DOUBLE, v BOOLEAN>>, aa ARRAY<ARRAY<INT>>, ar ARRAY<ROW<p INT, q STRING>>, d ARRAY<DOUBLE>, n INT, t STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  a < b AS c1
FROM t;
