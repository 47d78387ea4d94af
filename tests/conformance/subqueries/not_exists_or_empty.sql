CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE nothing (cust INT, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/nothing.json', 'format' = 'json');
SELECT id, qty FROM orders o WHERE qty > 4 OR NOT EXISTS (SELECT 1 FROM nothing);
