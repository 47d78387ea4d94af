CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE customers (id INT, name STRING, city STRING, since TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = '${DATA}/customers.json', 'format' = 'json');
CREATE TABLE payments (oid BIGINT, amount DECIMAL(10, 2), kind STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/payments.json', 'format' = 'json');
SELECT u.k, c.name FROM (SELECT cust AS k FROM orders WHERE qty = 1 UNION ALL SELECT CAST(oid AS INT) FROM payments) u JOIN customers c ON u.k = c.id;
