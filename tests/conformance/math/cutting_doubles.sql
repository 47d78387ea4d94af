CREATE TABLE t (
  id INT, t TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, m DECIMAL(10,2), w DECIMAL(38,10), k INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  TRUNCATE(d) AS c1,
  TRUNCATE(d, 1) AS c2,
  TRUNCATE(d, 3) AS c3,
  TRUNCATE(d, -1) AS c4,
  TRUNCATE(d, k) AS c5,
  TRUNCATE(f) AS c6,
  TRUNCATE(f, 1) AS c7,
  TRUNCATE(f, -2) AS c8,
  TRUNCATE(-d, 1) AS c9,
  TYPEOF(TRUNCATE(f, 1)) AS c10
FROM t;
