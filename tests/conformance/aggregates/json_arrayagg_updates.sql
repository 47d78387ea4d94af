CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, JSON_ARRAYAGG(v) AS a FROM (SELECT k, v, COUNT(*) AS n, MAX(d) AS d FROM bids GROUP BY k, v) GROUP BY k;
