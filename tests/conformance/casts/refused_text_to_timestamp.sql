-- expect: refused
CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  CAST('2024-02-29T10:00:00' AS TIMESTAMP(3)) AS c1
FROM t;
