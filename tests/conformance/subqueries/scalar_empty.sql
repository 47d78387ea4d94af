CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE nothing (cust INT, w INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/nothing.json', 'format' = 'json');
SELECT id, (SELECT w FROM nothing) AS w, (SELECT MAX(w) FROM nothing) AS m FROM orders;
