-- expect: refused
CREATE TABLE t (a INT, b STRING, ts TIMESTAMP(3), c AS a + 1, WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
CREATE TABLE u (a, b INT) WITH ('connector' = 'blackhole') AS SELECT a, b FROM t;
