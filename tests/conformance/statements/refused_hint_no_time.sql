-- expect: refused
CREATE TABLE t (a INT, b STRING, ts TIMESTAMP(3), c AS a + 1, WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
SELECT /*+ STATE_TTL('t' = '1 dd') */ b, COUNT(*) FROM t GROUP BY b;
