-- A column in two equalities, and an equality twice.
CREATE TABLE a (id BIGINT, k STRING, v BIGINT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
CREATE TABLE b (id BIGINT, k STRING, v BIGINT, w BIGINT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.json', 'format' = 'json');
SELECT 'two' AS x, a.id AS l, b.id AS r FROM a JOIN b ON a.v = b.v AND a.v = b.w
UNION ALL
SELECT 'safe', a.id, b.id FROM a JOIN b ON a.k = b.k AND b.k IS NOT DISTINCT FROM a.k
UNION ALL
SELECT 'same', a.id, b.id FROM a LEFT JOIN b ON a.k = b.k AND a.k = b.k AND b.k = a.k;
