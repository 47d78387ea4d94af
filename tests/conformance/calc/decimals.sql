SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, price + 1.5 AS a, price - CAST(0.333 AS DECIMAL(5, 3)) AS b, price * price AS c, price / 3 AS e, price / CAST(7.77 AS DECIMAL(6, 2)) AS f, MOD(price, 10) AS m, ROUND(price, 1) AS r, FLOOR(price) AS fl, CEIL(price) AS ce, ABS(price) AS ab FROM bids;
