CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  TRY_CAST(s AS TIMESTAMP(9)) AS c1,
  TRY_CAST(s AS TIMESTAMP(6)) AS c2
FROM t;
