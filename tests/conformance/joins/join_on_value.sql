CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE payments (oid BIGINT, amount DECIMAL(10, 2), kind STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/payments.json', 'format' = 'json');
SELECT a.cust, a.n, b.oid FROM (SELECT cust, COUNT(*) AS n FROM orders GROUP BY cust) a JOIN (SELECT oid, COUNT(*) AS n FROM payments GROUP BY oid) b ON a.n = b.n;
