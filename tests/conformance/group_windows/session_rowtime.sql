CREATE TABLE bids (
  id BIGINT, k STRING, c STRING NOT NULL, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, SESSION_ROWTIME(ts, INTERVAL '5' SECOND) AS rt, MIN(v) AS lo FROM bids GROUP BY k, SESSION(ts, INTERVAL '5' SECOND);
