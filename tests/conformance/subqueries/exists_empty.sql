CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE nothing (cust INT, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/nothing.json', 'format' = 'json');
SELECT id FROM orders WHERE EXISTS (SELECT * FROM nothing);
