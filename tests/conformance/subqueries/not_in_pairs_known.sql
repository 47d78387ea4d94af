CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT id, cust, item FROM orders WHERE (cust, item) NOT IN (SELECT cust, item FROM refunds WHERE cust IS NOT NULL AND item IS NOT NULL);
