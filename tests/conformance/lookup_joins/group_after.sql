CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), p AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE rates (cur STRING, reg INT, rate INT, label STRING, twice AS rate * 2)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates.json', 'format' = 'json', 'lookup.cache' = 'FULL');
SELECT r.label, COUNT(*) AS n, SUM(o.amount) AS total FROM orders AS o JOIN rates FOR SYSTEM_TIME AS OF o.p AS r ON o.cur = r.cur GROUP BY r.label;
