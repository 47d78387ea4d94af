CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  TRY_CAST(s AS TINYINT) AS c1,
  TRY_CAST(s AS SMALLINT) AS c2,
  TRY_CAST(s AS INT) AS c3,
  TRY_CAST(s AS BIGINT) AS c4,
  TYPEOF(TRY_CAST(s AS INT)) AS c5,
  TYPEOF(CAST('1' AS INT)) AS c6
FROM t;
