CREATE TABLE t (
  id INT, t TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, m DECIMAL(10,2), w DECIMAL(38,10), k INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  RAND() >= 0 AND RAND() < 1 AS c1,
  RAND(7) >= 0 AND RAND(8) < 1 AS c2,
  RAND_INTEGER(10) BETWEEN 0 AND 9 AS c3,
  RAND_INTEGER(3, 10) BETWEEN 0 AND 9 AS c4,
  RAND_INTEGER(1, 1) AS c5,
  RAND(i) AS c6,
  RAND_INTEGER(i, 10) AS c7,
  RAND_INTEGER(i, s * s + 1) AS c8,
  TYPEOF(RAND()) AS c9,
  TYPEOF(RAND_INTEGER(10)) AS c10
FROM t;
