-- expect: refused
CREATE TABLE a (id BIGINT, k STRING, v INT, pt AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
CREATE TABLE b (id BIGINT, k STRING, v INT, pt AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.json', 'format' = 'json');
SELECT l.id, r.id FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(pt), INTERVAL '10' SECOND)) l JOIN TABLE(TUMBLE(TABLE b, DESCRIPTOR(pt), INTERVAL '10' SECOND)) r ON l.k = r.k AND l.window_start = r.window_start AND l.window_end = r.window_end;
