CREATE TABLE t (
  id INT, ts TIMESTAMP(3), tn TIMESTAMP(9), lz TIMESTAMP_LTZ(3), d DATE, t TIME, n INT, s STRING, u TIMESTAMP(3), e DATE, z TIMESTAMP(0)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  ts > u AS c1,
  ts = z AS c2,
  lz > ts AS c3,
  d < e AS c4,
  t > TIME '10:00:00' AS c5,
  ts > '2024-01-01' AS c6,
  d = '2024-02-29' AS c7,
  DATE '2024-02-29' AS c8,
  TIME '12:00:01' AS c9,
  TIME '12:00:01.5' AS c10,
  TIMESTAMP '2024-02-29 12:00:00.123' AS c11
FROM t;
