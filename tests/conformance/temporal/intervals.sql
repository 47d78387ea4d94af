CREATE TABLE t (
  id INT, ts TIMESTAMP(3), tn TIMESTAMP(9), lz TIMESTAMP_LTZ(3), d DATE, t TIME, n INT, s STRING, u TIMESTAMP(3), e DATE, z TIMESTAMP(0)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  ts + INTERVAL '1' DAY AS c1,
  ts - INTERVAL '1' MONTH AS c2,
  ts + INTERVAL '13' MONTH AS c3,
  ts + INTERVAL '1-2' YEAR TO MONTH AS c4,
  d + INTERVAL '1' MONTH AS c5,
  d - INTERVAL '1' DAY AS c6,
  d + INTERVAL '5' HOUR AS c7,
  d + INTERVAL '36' HOUR AS c8,
  t + INTERVAL '3' HOUR AS c9,
  t - INTERVAL '5' MINUTE AS c10,
  t + INTERVAL '1' MONTH AS c11,
  lz + INTERVAL '1' MONTH AS c12,
  lz - INTERVAL '1.5' SECOND AS c13,
  tn + INTERVAL '1' SECOND AS c14,
  tn - INTERVAL '1' MONTH AS c15,
  INTERVAL '1' DAY + ts AS c16,
  ts + n * INTERVAL '1' HOUR AS c17
FROM t;
