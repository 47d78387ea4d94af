CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT id, qty, qty > ALL (SELECT w FROM refunds) AS a, qty < SOME (SELECT w FROM refunds) AS b, qty = ALL (SELECT w FROM refunds) AS c, qty > SOME (SELECT w FROM refunds r WHERE r.cust = o.cust) AS d FROM orders o;
