CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, FIRST_VALUE(v) AS f, LAST_VALUE(v) AS l, FIRST_VALUE(c) AS fc, LAST_VALUE(price) AS lp FROM bids GROUP BY k;
