CREATE TABLE t (id INT, s STRING, b BOOLEAN, ti TINYINT, bi BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10, 2), tiny DECIMAL(10, 8), ts TIMESTAMP(3), us TIMESTAMP(6), ltz TIMESTAMP_LTZ(3), bs BYTES, xs ARRAY<INT>, m MAP<STRING, INT>, r ROW<z INT, a STRING>) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_STRING(s) AS s, JSON_STRING(b) AS b, JSON_STRING(ti) AS ti, JSON_STRING(f) AS f, JSON_STRING(d) AS d, JSON_STRING(n) AS n, JSON_STRING(tiny) AS tiny,
  JSON_STRING(ts) AS ts, JSON_STRING(us) AS us, JSON_STRING(ltz) AS ltz, JSON_STRING(bs) AS bytes_, JSON_STRING(xs) AS xs, JSON_STRING(m) AS m, JSON_STRING(r) AS r,
  JSON_STRING(ARRAY[r, r]) AS rows_, JSON_STRING(MAP['b', xs, 'a', xs]) AS lists, JSON_STRING(JSON_OBJECT('s' VALUE s)) AS made
FROM t;
