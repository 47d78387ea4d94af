SET 'table.exec.source.cdc-events-duplicate' = 'true';
CREATE TABLE orders (id BIGINT, k STRING, v BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT id, k, v FROM orders;
