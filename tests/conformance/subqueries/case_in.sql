CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
CREATE TABLE members (cust INT, level INT, name STRING, PRIMARY KEY (cust) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/members.json', 'format' = 'json');
SELECT id, CASE WHEN cust IN (SELECT cust FROM refunds) THEN 'back' WHEN EXISTS (SELECT 1 FROM members m WHERE m.cust = o.cust) THEN 'member' ELSE 'other' END AS kind FROM orders o;
