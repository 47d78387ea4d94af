CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), d DOUBLE, ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT * FROM (
  SELECT n, c, ROW_NUMBER() OVER (ORDER BY n DESC) AS rn
  FROM (SELECT n, COUNT(*) AS c FROM (SELECT k, ok, COUNT(*) AS n FROM bids GROUP BY k, ok) GROUP BY n)
) WHERE rn <= 2;
