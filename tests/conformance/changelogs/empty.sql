CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT k, COUNT(*) AS n FROM orders GROUP BY k;
