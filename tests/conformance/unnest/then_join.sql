CREATE TABLE bags (id INT, g STRING, xs ARRAY<INT>, m MAP<STRING, INT>, rs ARRAY<ROW<a INT, b STRING>>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/bags.json', 'format' = 'json');
CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
SELECT o.id, b.id AS bag, x FROM bags b CROSS JOIN UNNEST(b.xs) AS t (x) JOIN orders o ON o.id = x;
