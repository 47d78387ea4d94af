SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, v IN (1, 2, 3000000000) AS wide, v IN (1, 2.0, 3.5) AS decimals, n IN (1, CAST(2 AS BIGINT), NULL) AS with_null, n NOT IN (1, 2) AS outside, n NOT IN (1, NULL) AS never, price IN (1, 2.50, 7) AS prices, d IN (1, 2.5, 3) AS doubles, k IN ('a', 'b', CAST('c' AS VARCHAR(5))) AS texts, ts IN (TIMESTAMP '2026-03-28 00:00:01', TIMESTAMP '2026-03-28 00:00:03.000') AS times, n IN (1, v, 3) AS columns_ FROM bids;
