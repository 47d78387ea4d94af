CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT o.id, x.item, x.n FROM orders o JOIN LATERAL (SELECT item, COUNT(*) AS n FROM refunds r WHERE r.cust = o.cust GROUP BY item) AS x ON x.n < o.size;
