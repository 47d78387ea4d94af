-- expect: refused
CREATE TABLE a (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
CREATE TABLE o (a TIMESTAMP(3), b TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '${OUT}/o', 'format' = 'json');
INSERT INTO o SELECT ts, window_time FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '10' SECOND));
