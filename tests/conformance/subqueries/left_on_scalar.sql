CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
CREATE TABLE members (cust INT, level INT, name STRING, PRIMARY KEY (cust) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/members.json', 'format' = 'json');
SELECT o.id, m.name FROM orders o LEFT JOIN members m ON o.cust = m.cust AND o.qty >= (SELECT MIN(w) + 1 FROM refunds);
