CREATE TABLE a (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
CREATE TABLE b (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.json', 'format' = 'json');
SELECT a.id AS a_id, a.k AS a_k, a.ts, b.id AS b_id, b.v AS b_v
FROM a
LEFT JOIN b ON a.k = b.k AND a.v = b.v AND a.ts BETWEEN b.ts - INTERVAL '15' SECOND AND b.ts + INTERVAL '15' SECOND;
