CREATE TABLE a (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
SELECT n, window_start, window_end, COUNT(*) AS c, SUM(s) AS s FROM (SELECT k, window_start, window_end, COUNT(*) AS n, SUM(v) AS s FROM TABLE(HOP(TABLE a, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND)) GROUP BY k, window_start, window_end) GROUP BY n, window_start, window_end;
