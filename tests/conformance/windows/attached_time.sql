CREATE TABLE a (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
SELECT window_start, window_end, SUM(most) AS s FROM TABLE(TUMBLE((
  SELECT MAX(n) AS most, window_time AS t FROM (SELECT k, window_start, window_end, window_time, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end, window_time)
  GROUP BY window_start, window_end, window_time
), DESCRIPTOR(t), INTERVAL '30' SECOND)) GROUP BY window_start, window_end;
