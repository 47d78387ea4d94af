CREATE TABLE bags (id INT, g STRING, xs ARRAY<INT>, m MAP<STRING, INT>, rs ARRAY<ROW<a INT, b STRING>>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/bags.json', 'format' = 'json');
SELECT g, n, x FROM (SELECT g, COUNT(*) AS n FROM bags GROUP BY g) CROSS JOIN UNNEST(ARRAY[1, CAST(n AS INT)]) AS t (x);
