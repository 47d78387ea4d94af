-- expect: refused
CREATE TABLE orders (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'canal-json');
SELECT * FROM orders;
