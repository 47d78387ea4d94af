CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  TRY_CAST(s AS BOOLEAN) AS c1,
  TRY_CAST(s AS CHAR(3)) AS c2,
  TRY_CAST(s AS VARCHAR(3)) AS c3,
  TRY_CAST(s AS BYTES) AS c4,
  TRY_CAST(s AS BINARY(3)) AS c5,
  CAST(s AS VARBINARY(2)) AS c6,
  CAST(s AS STRING) AS c7,
  TYPEOF(CAST(s AS CHAR(3))) AS c8,
  TYPEOF(CAST(s AS VARCHAR(3))) AS c9
FROM t;
