CREATE TABLE a (id BIGINT, k STRING, v INT, pt AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
CREATE TABLE b (id BIGINT, k STRING, v INT, pt AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.json', 'format' = 'json');
SELECT a.id AS a_id, b.id AS b_id FROM a JOIN b ON a.k = b.k AND a.pt BETWEEN b.pt - INTERVAL '1' HOUR AND b.pt + INTERVAL '1' HOUR;
