CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE customers (id INT, name STRING, city STRING, since TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = '${DATA}/customers.json', 'format' = 'json');
CREATE VIEW v AS SELECT o.id, c.name, o.qty FROM orders o LEFT JOIN customers c ON o.cust = c.id;
SELECT name, COUNT(*) AS n, COUNT(DISTINCT qty) AS d FROM v WHERE id > 5 GROUP BY name;
