CREATE TABLE t (id BIGINT, g INT, p DECIMAL(10, 2), d DOUBLE, k STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT g, k FROM t EXCEPT ALL SELECT 5 AS g, k FROM t;
