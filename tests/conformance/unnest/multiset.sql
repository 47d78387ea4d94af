CREATE TABLE bags (id INT, g STRING, xs ARRAY<INT>, m MAP<STRING, INT>, rs ARRAY<ROW<a INT, b STRING>>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/bags.json', 'format' = 'json');
SELECT g, x FROM (SELECT g, COLLECT(id) AS c FROM bags GROUP BY g) CROSS JOIN UNNEST(c) AS t (x);
