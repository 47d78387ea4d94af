CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT id, k, v, SUM(v) OVER (PARTITION BY k ORDER BY id) AS s, COUNT(v) OVER (PARTITION BY k ORDER BY id) AS n FROM orders;
