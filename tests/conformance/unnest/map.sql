CREATE TABLE bags (id INT, g STRING, xs ARRAY<INT>, m MAP<STRING, INT>, rs ARRAY<ROW<a INT, b STRING>>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/bags.json', 'format' = 'json');
SELECT id, k, v FROM bags CROSS JOIN UNNEST(m) AS t (k, v);
