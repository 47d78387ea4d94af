CREATE TABLE t (
  id INT, a STRING, b STRING, c STRING, n INT, m INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  PRINTF('%s-%d', a, n) AS c1,
  PRINTF('%x %o %X|%5d|%-5d|%05d|%(d|% d|%,d', n, n, n, n, n, n, n, n, n * 1000000) AS c2,
  PRINTF('%e %.2f %g %10.3f', n / CAST(3 AS DOUBLE), n / CAST(3 AS DOUBLE), n / CAST(3 AS DOUBLE), CAST(n AS DOUBLE)) AS c3,
  PRINTF('%b %s %S %.2s', n > 1, n > 1, a, a) AS c4,
  PRINTF('%s %s %s', CAST(n AS DECIMAL(10, 2)), CAST(n AS DOUBLE), CAST(n AS FLOAT)) AS c5,
  PRINTF(a, n) AS c6,
  PRINTF('%s %s %s', TIMESTAMP '2020-01-01 10:20:30.123', TIMESTAMP '2020-01-01 10:20:00', DATE '2020-01-01') AS c7,
  PRINTF('%2$s %1$s %<s %%', a, b) AS c8,
  PRINTF('%d', a) AS c9,
  PRINTF('%s %s', a) AS c10,
  PRINTF('%q', n) AS c11,
  PRINTF(CAST(NULL AS STRING), n) AS c12,
  PRINTF('abc', n) AS c13,
  PRINTF('%.0f', CAST(2.5 AS DOUBLE)) AS c14,
  PRINTF('%+.1e', CAST(0 AS DOUBLE)) AS c15,
  TYPEOF(PRINTF('a', n)) AS c16
FROM t;
