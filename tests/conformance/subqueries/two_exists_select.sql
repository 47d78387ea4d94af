-- differs: beside another EXISTS in SELECT, Flink has FALSE for NOT EXISTS of a query without rows
CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
CREATE TABLE nothing (cust INT, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/nothing.json', 'format' = 'json');
SELECT id, EXISTS (SELECT 1 FROM refunds r WHERE r.cust = o.cust) AS a, NOT EXISTS (SELECT 1 FROM nothing) AS b FROM orders o;
