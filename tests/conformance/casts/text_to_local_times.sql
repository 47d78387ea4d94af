SET 'table.local-time-zone' = 'Europe/Berlin';
CREATE TABLE t (
  id INT, s STRING
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  CAST(TRY_CAST(s AS TIMESTAMP_LTZ(3)) AS STRING) AS c1,
  TRY_CAST(s AS TIMESTAMP(3)) AS c2,
  CAST(TRY_CAST(s AS TIMESTAMP_LTZ(3)) AS TIMESTAMP(3)) AS c3
FROM t;
