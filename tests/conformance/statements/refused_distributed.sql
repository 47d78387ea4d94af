-- expect: refused
CREATE TABLE t (a INT, b STRING, ts TIMESTAMP(3), c AS a + 1, WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
CREATE TABLE u (a INT) DISTRIBUTED BY (a) INTO 3 BUCKETS WITH ('connector' = 'blackhole');
INSERT INTO u SELECT 1;
