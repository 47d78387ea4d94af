CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT n, COUNT(*) AS m, MAX(s) AS hi FROM (SELECT k, c, COUNT(*) AS n, SUM(v) AS s FROM orders GROUP BY k, c) GROUP BY n;
