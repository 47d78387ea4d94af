-- differs: Flink counts each of several rows that are equal in their order as a place of its own (seen on 2.2); here they have one place, as in SQL
CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT id, k, v, DENSE_RANK() OVER (PARTITION BY k ORDER BY v) AS place FROM orders WHERE v IS NOT NULL;
