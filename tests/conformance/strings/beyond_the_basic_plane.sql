-- differs: Flink counts characters beyond U+FFFF, as emoji, as two in some functions, and can cut them in halves; here each character is one everywhere
CREATE TABLE t (
  id INT, a STRING, b STRING, c STRING, n INT, m INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  LPAD(a, 12, c) AS c1,
  RPAD(a, n, c) AS c2,
  OVERLAY(a PLACING c FROM n) AS c3,
  SPLIT(a, '') AS c4,
  REGEXP_INSTR(a, '[a-c]') AS c5,
  REGEXP_COUNT(a, '') AS c6,
  REGEXP_REPLACE(a, 'a*', '-') AS c7
FROM t;
