CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT HOP_END(ts, INTERVAL '5' SECOND, INTERVAL '15' SECOND) AS w, k, COUNT(*) AS n, MAX(v) AS hi FROM orders GROUP BY HOP(ts, INTERVAL '5' SECOND, INTERVAL '15' SECOND), k;
