CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, window_end, COUNT(v) AS cv, AVG(v) AS av, MIN(v) AS mi, MAX(price) AS mp, SUM(price) AS sp, COUNT(DISTINCT v) AS dv, SUM(DISTINCT v) AS sd, COUNT(*) FILTER (WHERE ok) AS f FROM TABLE(SESSION(TABLE bids PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
