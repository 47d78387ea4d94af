CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, PERCENTILE(v, 0.5) AS p5, PERCENTILE(d, 0.9) AS p9, PERCENTILE(price, 0) AS p0 FROM bids GROUP BY k;
