CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT TUMBLE_START(ts, INTERVAL '10' SECOND) AS w, k, COUNT(*) AS n, SUM(v) AS s FROM orders GROUP BY TUMBLE(ts, INTERVAL '10' SECOND), k;
