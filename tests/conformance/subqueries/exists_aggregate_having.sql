-- differs: Flink loses the HAVING of a correlated EXISTS: its plan filters the key by it, and so its rows are wrong
CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT id, cust FROM orders o WHERE EXISTS (SELECT MAX(w) FROM refunds r WHERE r.cust = o.cust HAVING SUM(w) > 5);
