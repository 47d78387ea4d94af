CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), d DOUBLE, ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT * FROM (
  SELECT k, ok, s, ROW_NUMBER() OVER (PARTITION BY k ORDER BY s, ok) AS rn
  FROM (SELECT k, ok, SUM(v) AS s FROM bids GROUP BY k, ok)
) WHERE rn <= 2;
