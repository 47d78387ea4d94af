CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT o.id, x.a, x.b FROM orders o LEFT JOIN LATERAL (SELECT w, item FROM refunds r WHERE r.cust = o.cust AND r.w > 2) AS x(a, b) ON TRUE;
