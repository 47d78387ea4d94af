CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT k, MIN(v) AS lo, MAX(v) AS hi, MIN(price) AS lop, MAX(c) AS hic, MAX(ts) AS last_ts FROM orders GROUP BY k;
