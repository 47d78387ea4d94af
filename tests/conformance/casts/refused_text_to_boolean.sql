-- expect: refused
CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  CAST('x' AS BOOLEAN) AS c1
FROM t;
