CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  TRY_CAST(s AS DOUBLE) AS c1,
  TRY_CAST(s AS DECIMAL(5, 2)) AS c2,
  TRY_CAST(s AS DECIMAL(38, 10)) AS c3,
  TRY_CAST(s AS DECIMAL(10, 0)) AS c4,
  TYPEOF(TRY_CAST(s AS DECIMAL(5, 2))) AS c5,
  TYPEOF(CAST('1' AS DOUBLE)) AS c6
FROM t;
