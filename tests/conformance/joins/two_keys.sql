CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
SELECT a.id, b.id AS other FROM orders AS a LEFT JOIN orders AS b ON a.cust = b.cust AND a.item = b.item AND a.id <> b.id;
