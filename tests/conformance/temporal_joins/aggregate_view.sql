-- unsupported: an aggregate has no row time here; MAX of a row time is one in Flink
CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE history (cur STRING, reg INT, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates.json', 'format' = 'json');
CREATE VIEW rates AS SELECT cur, MAX(rate) AS rate, MAX(ts) AS ts FROM history GROUP BY cur;
SELECT o.id, o.cur, o.ts, r.rate, r.ts AS since FROM orders AS o  JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.cur = r.cur;
