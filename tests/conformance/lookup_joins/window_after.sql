CREATE TABLE orders (id BIGINT, cur STRING, reg INT, amount INT, ts TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
CREATE TABLE names (reg INT, name STRING, PRIMARY KEY (reg) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/names.json', 'format' = 'json');
CREATE VIEW named AS SELECT n.name, o.ts FROM orders AS o LEFT JOIN names FOR SYSTEM_TIME AS OF o.p AS n ON o.reg = n.reg;
SELECT window_start, name, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE named, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, name;
