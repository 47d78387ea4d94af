CREATE TABLE clicks (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/clicks.json', 'format' = 'json');
CREATE TABLE visits (k STRING, w INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/visits.json', 'format' = 'json');
SELECT c.k, c.v FROM clicks c WHERE EXISTS (SELECT 1 FROM visits v WHERE v.k = c.k AND v.ts BETWEEN c.ts - INTERVAL '5' SECOND AND c.ts);
