-- expect: refused
CREATE TABLE bags (id INT, g STRING, xs ARRAY<INT>, m MAP<STRING, INT>, rs ARRAY<ROW<a INT, b STRING>>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/bags.json', 'format' = 'json');
SELECT id, x FROM bags CROSS JOIN UNNEST(g) AS t (x);
