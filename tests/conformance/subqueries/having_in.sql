CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT cust, SUM(qty) AS q FROM orders GROUP BY cust HAVING cust IN (SELECT cust FROM refunds) AND SUM(qty) NOT IN (SELECT w FROM refunds WHERE w IS NOT NULL);
