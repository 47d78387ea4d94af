CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  TRY_CAST(s AS DATE) AS c1,
  TRY_CAST(s AS TIME) AS c2,
  CAST(TRY_CAST(s AS TIME) AS STRING) AS c3,
  TRY_CAST(s AS TIMESTAMP(3)) AS c4,
  TRY_CAST(s AS TIMESTAMP(0)) AS c5,
  TRY_CAST(s AS TIMESTAMP_LTZ(3)) AS c6,
  TYPEOF(TRY_CAST(s AS TIME(3))) AS c7
FROM t;
