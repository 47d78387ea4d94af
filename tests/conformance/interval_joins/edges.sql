CREATE TABLE a (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
CREATE TABLE b (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.json', 'format' = 'json');
SELECT a.id AS a_id, b.id AS b_id, b.ts
FROM a
JOIN b ON a.k = b.k AND a.ts >= b.ts - INTERVAL '2' SECOND AND b.ts > a.ts;
