CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
SELECT id, qty, qty > ALL (1, 2) AS a, qty = SOME (2, 5) AS b FROM orders WHERE qty <> ALL (1, 8);
