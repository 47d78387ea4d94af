-- expect: refused
CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  CAST(ROW(1, 'x') AS ROW<a INT>) AS c1
FROM t;
