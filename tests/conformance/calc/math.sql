SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, POWER(n, 2) AS p, SQRT(ABS(n)) AS s, ROUND(d, 1) AS r, FLOOR(d) AS f, CEIL(d) AS c, SIGN(n) AS sg, EXP(0) AS e, LN(10) AS l1, MOD(n, 3) AS m, ABS(n) AS a, GREATEST(n, 1) AS g, LEAST(n, 1) AS le, TRUNCATE(d, 1) AS tr FROM bids;
