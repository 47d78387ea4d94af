CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE customers (id INT, name STRING, city STRING, since TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = '${DATA}/customers.json', 'format' = 'json');
CREATE TABLE payments (oid BIGINT, amount DECIMAL(10, 2), kind STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/payments.json', 'format' = 'json');
SELECT c.city, COUNT(*) AS n, SUM(o.price) AS s, MAX(p.amount) AS m FROM orders o JOIN customers c ON o.cust = c.id LEFT JOIN payments p ON p.oid = o.id GROUP BY c.city;
