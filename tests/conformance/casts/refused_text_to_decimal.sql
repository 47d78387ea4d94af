-- expect: refused
CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  CAST('12345' AS DECIMAL(5, 2)) AS c1
FROM t;
