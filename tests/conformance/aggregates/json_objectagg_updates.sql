CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, JSON_OBJECTAGG(KEY v VALUE n) AS a FROM (SELECT k, CAST(v AS STRING) AS v, COUNT(*) AS n FROM bids WHERE v IS NOT NULL GROUP BY k, v) GROUP BY k;
