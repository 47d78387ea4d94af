CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, MIN(ts) AS t0, MAX(ts) AS t1, MIN(ok) AS b0, MAX(ok) AS b1, MIN(CAST(ts AS DATE)) AS d0, MAX(CAST(v AS SMALLINT)) AS s1 FROM bids GROUP BY k;
