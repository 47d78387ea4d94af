-- expect: refused
CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE refunds (oid BIGINT, cust INT, item STRING, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/refunds.json', 'format' = 'json');
SELECT c.cust, x.oid, x.w FROM (SELECT DISTINCT cust FROM orders) c, LATERAL (SELECT oid, w FROM refunds o WHERE o.cust = c.cust ORDER BY w DESC, oid LIMIT 2) AS x;
