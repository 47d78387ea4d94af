-- expect: refused
CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  CAST(ARRAY[1] AS INT) AS c1
FROM t;
