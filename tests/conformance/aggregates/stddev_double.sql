CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, CAST(STDDEV_POP(d) AS DECIMAL(20, 6)) AS sp, CAST(STDDEV_SAMP(d) AS DECIMAL(20, 6)) AS ss, CAST(STDDEV(d) AS DECIMAL(20, 6)) AS st FROM bids GROUP BY k;
