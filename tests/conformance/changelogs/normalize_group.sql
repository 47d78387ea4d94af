SET 'table.exec.source.cdc-events-duplicate' = 'true';
CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3), PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT k, COUNT(*) AS n, SUM(v) AS s, MAX(price) AS hi FROM orders GROUP BY k;
