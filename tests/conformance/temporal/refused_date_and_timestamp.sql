-- expect: refused
CREATE TABLE t (
  id INT, ts TIMESTAMP(3), tn TIMESTAMP(9), lz TIMESTAMP_LTZ(3), d DATE, t TIME, n INT, s STRING, u TIMESTAMP(3), e DATE, z TIMESTAMP(0)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  d = ts AS c1
FROM t;
