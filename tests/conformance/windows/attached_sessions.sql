CREATE TABLE a (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n, MAX(c) AS c FROM (
  SELECT k, window_start, window_end, COUNT(*) AS c FROM TABLE(SESSION(TABLE a PARTITION BY k, DESCRIPTOR(ts), INTERVAL '3' SECOND)) GROUP BY k, window_start, window_end
) GROUP BY window_start, window_end;
