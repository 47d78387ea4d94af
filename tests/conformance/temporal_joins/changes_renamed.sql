CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE rates (cur STRING, reg INT, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (cur) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates.json', 'format' = 'debezium-json');
CREATE VIEW named AS SELECT rate * 10 AS tenfold, cur AS c, ts AS t FROM rates;
SELECT o.id, n.tenfold FROM orders AS o LEFT JOIN named FOR SYSTEM_TIME AS OF o.ts AS n ON o.cur = n.c;
