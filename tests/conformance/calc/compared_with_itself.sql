-- differs: Flink 2.2 takes p >= p OR … for true in WHERE where p is NULL, and the row stays; NULL is not true here
CREATE TABLE t (id BIGINT, g INT, p DECIMAL(10, 2), d DOUBLE, k STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, p >= p AS s FROM t WHERE p >= p OR k IN ('x', 'y');
