SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, UPPER(k) AS u, k || '-' || CAST(n AS STRING) AS c, CONCAT(k, 'x') AS cx, CONCAT_WS('|', k, 'z') AS cw, CHAR_LENGTH(k) AS l, SUBSTRING('stream', n + 3) AS s1, SUBSTRING('stream', 2, 3) AS s2, POSITION('e' IN 'stream') AS p, REPLACE('a-b-c', '-', k) AS r, LPAD(k, 4, '*') AS lp, TRIM(BOTH ' ' FROM '  hi ') AS t, SPLIT_INDEX('a,b,c', ',', 1) AS si, REGEXP_EXTRACT('id=42;x', 'id=(\d+)', 1) AS re, k LIKE 'a%' AS li, REVERSE('abc') AS rv, INITCAP('hello big world') AS ic FROM bids;
