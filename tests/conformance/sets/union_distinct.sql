CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE payments (oid BIGINT, amount DECIMAL(10, 2), kind STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/payments.json', 'format' = 'json');
SELECT cust AS k, item AS t FROM orders UNION SELECT CAST(oid AS INT), kind FROM payments;
