CREATE TABLE orders (id BIGINT, cust INT, item STRING, qty INT, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.json', 'format' = 'json');
WITH t AS (SELECT cust, COUNT(*) AS n FROM orders GROUP BY cust) SELECT x.cust, x.n, y.cust AS other FROM t AS x JOIN t AS y ON x.n = y.n AND x.cust < y.cust;
