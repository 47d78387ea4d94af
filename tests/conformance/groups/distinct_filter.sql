CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, COUNT(DISTINCT v) AS dv, SUM(DISTINCT v) AS sv, COUNT(*) FILTER (WHERE ok) AS f, COUNT(DISTINCT v) FILTER (WHERE ok) AS df, AVG(DISTINCT v) AS av FROM bids GROUP BY k;
