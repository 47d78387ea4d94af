-- Each change is written as an insertion or a deletion.
CREATE TABLE orders (id BIGINT, k STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'canal-json'
);
CREATE TABLE o (id BIGINT, k STRING, n BIGINT) WITH (
  'connector' = 'filesystem', 'path' = '${OUT}/o', 'format' = 'canal-json'
);

INSERT INTO o SELECT id, MAX(k), COUNT(*) FROM orders GROUP BY id;
