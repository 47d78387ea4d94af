CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
SELECT cust, item FROM orders WHERE id < 20 INTERSECT SELECT cust, item FROM orders WHERE id > 10;
