SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, CAST(v AS STRING) AS vs, CAST(price AS STRING) AS ps, CAST(d AS STRING) AS ds, CAST(ok AS STRING) AS os, CAST(ts AS STRING) AS tss, CAST(d AS INT) AS di, CAST(price AS DECIMAL(6, 1)) AS p1, CAST(v AS DOUBLE) AS vd, CAST(ts AS DATE) AS dt, CAST(n AS DECIMAL(10, 3)) AS nd, TRY_CAST(k AS INT) AS tk FROM bids;
