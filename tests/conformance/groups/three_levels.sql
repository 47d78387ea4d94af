CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT m, COUNT(*) AS c FROM (SELECT n, MAX(s) AS m FROM (SELECT k, v, COUNT(*) AS n, SUM(id) AS s FROM bids GROUP BY k, v) GROUP BY n) GROUP BY m;
