CREATE TABLE orders (
  id BIGINT, k STRING, v BIGINT, price DECIMAL(10, 2), total AS v * price
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT id, total FROM orders;
