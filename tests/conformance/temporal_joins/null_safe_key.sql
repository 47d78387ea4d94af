CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE history (cur STRING, reg INT, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates.json', 'format' = 'json');
CREATE VIEW rates AS SELECT cur, reg, rate, ts FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY cur ORDER BY ts DESC) AS rn FROM history) WHERE rn = 1;
SELECT o.id, o.cur, o.ts, r.rate, r.ts AS since FROM orders AS o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.cur IS NOT DISTINCT FROM r.cur;
