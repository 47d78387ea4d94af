-- expect: refused
CREATE TABLE orders (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3), PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
CREATE TABLE o (id BIGINT, v BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'filesystem', 'path' = '${OUT}/o', 'format' = 'debezium-json');
INSERT INTO o SELECT id, v FROM orders ON CONFLICT DO DEDUPLICATE;
