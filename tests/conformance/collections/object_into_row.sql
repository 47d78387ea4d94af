-- An object goes into a column of ROW, field by field.
CREATE TABLE t (id INT, s STRING, d DECIMAL(5, 2)) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);
CREATE TABLE o (r ROW<a STRING, b INT>) WITH (
  'connector' = 'filesystem', 'path' = '${OUT}/o', 'format' = 'json'
);

INSERT INTO o SELECT OBJECT_OF('A', 'x', s, 'y', id) FROM t;
