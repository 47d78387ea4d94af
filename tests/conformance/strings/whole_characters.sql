CREATE TABLE t (
  id INT, a STRING, b STRING, c STRING, n INT, m INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  CHAR_LENGTH(a) AS c1,
  SUBSTRING(a, n) AS c2,
  LEFT(a, n) AS c3,
  RIGHT(a, 2) AS c4,
  REVERSE(a) AS c5,
  POSITION(b IN a) AS c6,
  LOCATE(b, a, n) AS c7,
  REPLACE(a, b, c) AS c8,
  TRANSLATE(a, b, c) AS c9,
  SPLIT(a, b) AS c10,
  SPLIT_INDEX(a, b, n) AS c11,
  a LIKE '_a_b' AS c12,
  REGEXP_REPLACE(a, '.', '_') AS c13,
  URL_ENCODE(a) AS c14,
  HEX(a) AS c15
FROM t;
