-- expect: refused
CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT * FROM (SELECT id, v, DENSE_RANK() OVER (PARTITION BY k ORDER BY v) AS place FROM orders) WHERE place <= 2;
