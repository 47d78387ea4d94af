-- unsupported: Flink lets the row before an update take away a version that other rows still need, so that its rows depend on when they come
CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE history (cur STRING, reg INT, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates.json', 'format' = 'json');
CREATE VIEW rates AS SELECT cur, reg, rate, ts FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY cur ORDER BY ts DESC) AS rn FROM history) WHERE rn = 1;
CREATE VIEW high AS SELECT * FROM rates WHERE rate > 3;
SELECT o.id, r.rate FROM orders AS o LEFT JOIN high FOR SYSTEM_TIME AS OF o.ts AS r ON o.cur = r.cur;
