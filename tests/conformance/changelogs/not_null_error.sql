-- expect: refused
CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
CREATE TABLE o (k STRING NOT NULL, v BIGINT NOT NULL, price DECIMAL(10, 2)) WITH ('connector' = 'filesystem', 'path' = '${OUT}/o', 'format' = 'debezium-json');
INSERT INTO o SELECT k, v, price FROM orders;
