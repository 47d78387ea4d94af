CREATE TABLE a (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
SELECT l.id AS l_id, r.id AS r_id, l.ts FROM a AS l JOIN a AS r ON l.k = r.k AND r.ts BETWEEN l.ts AND l.ts + INTERVAL '4' SECOND AND l.id <> r.id;
