CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE payments (oid BIGINT, amount DECIMAL(10, 2), kind STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/payments.json', 'format' = 'json');
SELECT a.cust, a.n, b.total FROM (SELECT cust, COUNT(*) AS n FROM orders GROUP BY cust) a JOIN (SELECT o.cust, SUM(p.amount) AS total FROM orders o JOIN payments p ON o.id = p.oid GROUP BY o.cust) b ON a.cust = b.cust;
