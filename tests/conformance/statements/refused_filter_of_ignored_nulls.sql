-- expect: refused
CREATE TABLE t (a INT, b STRING, ts TIMESTAMP(3), c AS a + 1, WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
SELECT ARRAY_AGG(a IGNORE NULLS) FILTER (WHERE a > 1) FROM t;
