CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
CREATE TABLE o (k STRING, n BIGINT, s BIGINT) WITH ('connector' = 'filesystem', 'path' = '${OUT}/o', 'format' = 'debezium-json');
INSERT INTO o SELECT k, COUNT(*), SUM(v) FROM orders GROUP BY k;
