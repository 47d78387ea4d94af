-- differs: on the day that clocks change Flink cuts a time to its day by the offset of the time itself; here a day begins at midnight
SET 'table.local-time-zone' = 'Europe/Berlin';
CREATE TABLE t (
  id INT, ts TIMESTAMP(3), tn TIMESTAMP(9), lz TIMESTAMP_LTZ(3), d DATE, t TIME, n INT, s STRING, u TIMESTAMP(3), e DATE, z TIMESTAMP(0)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  EXTRACT(HOUR FROM lz) AS c1,
  DAYOFMONTH(lz) AS c2,
  CAST(FLOOR(lz TO DAY) AS STRING) AS c3,
  CAST(CEIL(lz TO MONTH) AS STRING) AS c4,
  CAST(lz + INTERVAL '1' MONTH AS STRING) AS c5,
  DATE_FORMAT(lz, 'yyyy-MM-dd HH:mm') AS c6,
  FROM_UNIXTIME(n * 100000000) AS c7,
  FROM_UNIXTIME(n, 'HH X Z') AS c8,
  UNIX_TIMESTAMP(s) AS c9,
  UNIX_TIMESTAMP(s, 'yyyy-MM-dd') AS c10,
  CAST(TO_TIMESTAMP_LTZ(s, 'yyyy-MM-dd') AS STRING) AS c11,
  lz > ts AS c12,
  lz = ts AS c13
FROM t;
