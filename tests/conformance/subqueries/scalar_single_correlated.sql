CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, size INT NOT NULL)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE members (cust INT, level INT, name STRING, PRIMARY KEY (cust) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/members.json', 'format' = 'json');
SELECT id, (SELECT name FROM members m WHERE m.cust = o.cust) || '!' AS name FROM orders o;
