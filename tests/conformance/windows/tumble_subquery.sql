CREATE TABLE t (
  id BIGINT, k STRING, g INT, v BIGINT, d DOUBLE, p DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT u, window_end, SUM(x) AS x FROM TABLE(TUMBLE((SELECT k AS u, v + 1 AS x, ts AS rt FROM t WHERE g = 1), DESCRIPTOR(rt), INTERVAL '5' SECOND)) GROUP BY u, window_start, window_end;
