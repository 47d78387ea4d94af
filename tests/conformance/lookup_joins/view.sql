CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), p AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE rates (cur STRING, reg INT, rate INT, label STRING, twice AS rate * 2)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates.json', 'format' = 'json', 'lookup.cache' = 'FULL');
CREATE VIEW chosen AS SELECT label, rate * 10 AS tenfold, cur AS c FROM rates WHERE rate > 2;
SELECT o.id, s.label, s.tenfold FROM orders AS o LEFT JOIN chosen FOR SYSTEM_TIME AS OF o.p AS s ON o.cur = s.c AND s.tenfold < 50;
