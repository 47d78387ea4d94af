SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, CASE WHEN v > 50 THEN 'high' WHEN v > 0 THEN 'low' ELSE k END AS c, COALESCE(k, 'none') AS co, NULLIF(n, 0) AS nu, CASE n WHEN 1 THEN 'one' WHEN 2 THEN 'two' END AS s, IF(n > 0, v, 0) AS i FROM bids;
