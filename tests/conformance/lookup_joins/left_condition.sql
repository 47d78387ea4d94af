CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), p AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE rates (cur STRING, reg INT, rate INT, label STRING, twice AS rate * 2)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates.json', 'format' = 'json', 'lookup.cache' = 'FULL');
SELECT o.id, r.rate, r.label FROM orders AS o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.p AS r ON o.cur = r.cur AND r.rate > o.reg AND r.label <> 'c' AND o.amount > 5;
