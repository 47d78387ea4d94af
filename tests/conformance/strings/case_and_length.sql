CREATE TABLE t (
  id INT, a STRING, b STRING, c STRING, n INT, m INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  UPPER(a) AS c1,
  LOWER(a) AS c2,
  INITCAP(a) AS c3,
  CHAR_LENGTH(a) AS c4,
  CHARACTER_LENGTH(b) AS c5,
  REVERSE(a) AS c6,
  ASCII(a) AS c7,
  CHR(n) AS c8,
  CHR(n + 300) AS c9,
  CHR(CAST(n AS BIGINT) * 40) AS c10,
  INITCAP('hELLO wORLD a1b-c_d') AS c11,
  CHAR_LENGTH('') AS c12,
  TYPEOF(UPPER(a)) AS c13,
  TYPEOF(CHAR_LENGTH(a)) AS c14,
  TYPEOF(REVERSE('abc')) AS c15,
  TYPEOF(UPPER('abc')) AS c16
FROM t;
