-- differs: Flink leaves the join out, so that it has rows for the key NULL too, which equals nothing
CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
SELECT c.cust, x.id, x.qty FROM (SELECT DISTINCT cust FROM orders) c, LATERAL (SELECT id, qty FROM orders o WHERE o.cust = c.cust ORDER BY qty DESC, id LIMIT 2) AS x;
