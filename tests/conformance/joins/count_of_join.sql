CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE customers (id INT, name STRING, city STRING, since TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = '${DATA}/customers.json', 'format' = 'json');
SELECT COUNT(*) AS n FROM orders AS o JOIN customers AS c ON o.cust = c.id;
