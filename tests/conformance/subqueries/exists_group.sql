-- differs: Flink reads the count of HAVING from the wrong column of the decorrelated groups, so its rows are wrong
CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT id, cust FROM orders o WHERE EXISTS (SELECT item FROM refunds r WHERE r.cust = o.cust GROUP BY item HAVING COUNT(*) > 1);
