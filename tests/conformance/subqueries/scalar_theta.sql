CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT id, qty, (SELECT SUM(w) FROM refunds r WHERE r.w < o.qty) AS s, (SELECT COUNT(*) FROM refunds r WHERE r.w < o.qty) AS n FROM orders o;
