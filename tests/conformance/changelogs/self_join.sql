CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT a.id, b.id AS bid, a.v + b.v AS s FROM orders AS a JOIN orders AS b ON a.k = b.k AND a.id < b.id;
