CREATE TABLE orders (id BIGINT, k STRING, v BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT k, COUNT(*) AS n, SUM(v) AS s FROM orders GROUP BY k;
