SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, window_end, COUNT(v) AS cv, AVG(v) AS av, MIN(v) AS mi, MAX(v) AS ma, SUM(price) AS sp, AVG(price) AS ap, MIN(price) AS mp, MAX(k) AS mk, AVG(n) AS an, SUM(n) AS sn FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
