CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE rates (cur STRING, reg INT, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (cur) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates.json', 'format' = 'json');
SELECT q.id2, q.cur, r.rate FROM (SELECT id * 2 AS id2, cur, ts AS moment FROM orders WHERE amount > 5) AS q LEFT JOIN rates FOR SYSTEM_TIME AS OF q.moment AS r ON q.cur = r.cur;
