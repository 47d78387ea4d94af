CREATE TABLE t (
  id INT, a STRING, b STRING, c STRING, n INT, m INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  a || b AS c1,
  a || b || c AS c2,
  CONCAT(a, b, c) AS c3,
  CONCAT(a) AS c4,
  CONCAT_WS(c, a, b) AS c5,
  CONCAT_WS('-', a, CAST(NULL AS STRING), b) AS c6,
  CONCAT_WS(CAST(NULL AS STRING), a, b) AS c7,
  CONCAT_WS(',') AS c8,
  CONCAT_WS(',', 'x', '') AS c9,
  REPEAT(a, n) AS c10,
  REPEAT(a, m) AS c11,
  REPEAT('', 3) AS c12,
  'a' || 'bc' AS c13,
  TYPEOF('a' || 'bc') AS c14,
  TYPEOF(CAST('a' AS VARCHAR(3)) || 'bc') AS c15,
  TYPEOF(CONCAT('a', 'bc')) AS c16,
  TYPEOF(CONCAT_WS(',', a, 'bc')) AS c17
FROM t;
