CREATE TABLE t (id INT, s STRING, b BOOLEAN, ti TINYINT, bi BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10, 2), tiny DECIMAL(10, 8), ts TIMESTAMP(3), us TIMESTAMP(6), ltz TIMESTAMP_LTZ(3), bs BYTES, xs ARRAY<INT>, m MAP<STRING, INT>, r ROW<z INT, a STRING>) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_ARRAY() AS none_, JSON_ARRAY(s) AS s, JSON_ARRAY(b, ti, bi) AS whole, JSON_ARRAY(f, d, n, tiny NULL ON NULL) AS numbers,
  JSON_ARRAY(ts, us, ltz ABSENT ON NULL) AS times, JSON_ARRAY(bs NULL ON NULL) AS bytes_, JSON_ARRAY(xs, m, r NULL ON NULL) AS nested,
  JSON_ARRAY(JSON_ARRAY(s), JSON_OBJECT('s' VALUE s), JSON('[1, 2.50]'), 'x' NULL ON NULL) AS made, JSON_ARRAY(JSON_STRING(xs), JSON_QUERY('[1]', '$')) AS quoted
FROM t;
