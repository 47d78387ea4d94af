CREATE TABLE t (
  id BIGINT, a TINYINT, b BOOLEAN, c DATE, e TIME, f DECIMAL(8, 3), h BYTES, i TIMESTAMP(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT a, b, c, e, f, h, i, window_end, COUNT(*) AS n, MIN(id) AS m FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY a, b, c, e, f, h, i, window_start, window_end;
