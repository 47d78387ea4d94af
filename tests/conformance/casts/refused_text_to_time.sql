-- expect: refused
CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  CAST('25:00' AS TIME) AS c1
FROM t;
