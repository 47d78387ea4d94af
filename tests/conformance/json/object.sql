CREATE TABLE t (id INT, k STRING NOT NULL, s STRING, b BOOLEAN, ti TINYINT, bi BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10, 2), tiny DECIMAL(10, 8), ts TIMESTAMP(3), us TIMESTAMP(6), ltz TIMESTAMP_LTZ(3), bs BYTES, xs ARRAY<INT>, m MAP<STRING, INT>, r ROW<z INT, a STRING>) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_OBJECT() AS none_, JSON_OBJECT('s' VALUE s, KEY 'b' VALUE b, 'a"q' : ti) AS o, JSON_OBJECT(KEY 'n' VALUE n, KEY 'f' VALUE f NULL ON NULL) AS nulls,
  JSON_OBJECT('n' VALUE n, 'f' VALUE f, 'xs' VALUE xs, 'r' VALUE r, 'm' VALUE m ABSENT ON NULL) AS absent,
  JSON_OBJECT('b' VALUE JSON_OBJECT('z' VALUE s, 'y' VALUE b), 'a' VALUE JSON_ARRAY(s), 'j' VALUE JSON('{"q": [1]}')) AS made,
  JSON_OBJECT('x' VALUE 1, 'x' VALUE s) AS twice, JSON_OBJECT(KEY k VALUE id, 'k' VALUE s ABSENT ON NULL) AS by_column,
  UPPER(JSON_OBJECT('s' VALUE s)) AS upper_
FROM t;
