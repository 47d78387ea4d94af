CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT k, COUNT(DISTINCT c) AS n, SUM(DISTINCT v) AS s, COUNT(*) FILTER (WHERE ok) AS oks FROM orders GROUP BY k;
