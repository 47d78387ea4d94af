CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, SUM(v) AS s FROM bids GROUP BY k HAVING SUM(v) > 2 OR SUM(v) IS NULL;
