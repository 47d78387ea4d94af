CREATE TABLE t (
  id INT, t TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, m DECIMAL(10,2), w DECIMAL(38,10), k INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  SIN(k) AS c1,
  COS(k) AS c2,
  TAN(k) AS c3,
  COT(k) AS c4,
  ASIN(f) AS c5,
  ACOS(f) AS c6,
  ATAN(d) AS c7,
  ATAN2(f, d) AS c8,
  ATAN2(m, m) AS c9,
  SINH(k) AS c10,
  TANH(k) AS c11,
  DEGREES(k) AS c12,
  RADIANS(k) AS c13,
  DEGREES(m) AS c14,
  SIN(m) AS c15,
  COSH(0) AS c16,
  PI() AS c17,
  E() AS c18,
  ATAN2(1, 0) AS c19,
  ASIN(2) AS c20,
  COT(0) AS c21,
  RADIANS(180) AS c22,
  DEGREES(PI()) AS c23,
  TYPEOF(SIN(k)) AS c24,
  TYPEOF(PI()) AS c25
FROM t;
