-- differs: Flink compares the wrong column of the groups with the query in SELECT, so it finds no row
CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT cust, SUM(qty) AS q, (SELECT MAX(w) FROM refunds r WHERE r.cust = o.cust) AS m FROM orders o GROUP BY cust;
