-- expect: refused
CREATE TABLE t (a INT, b STRING, ts TIMESTAMP(3), c AS a + 1, WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
ALTER TABLE t ADD a INT;
