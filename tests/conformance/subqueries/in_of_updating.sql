CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT cust, n FROM (SELECT cust, COUNT(*) AS n FROM orders GROUP BY cust) WHERE n IN (SELECT w FROM refunds);
