CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE VIEW found AS
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES MATCH_ROWTIME() AS t, SUM(v) AS s
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B*? C)
  DEFINE A AS A.v < 4, C AS C.v > 6
);
SELECT k, window_start, COUNT(*) AS n, SUM(s) AS s
FROM TABLE(TUMBLE(TABLE found, DESCRIPTOR(t), INTERVAL '20' SECOND))
GROUP BY k, window_start, window_end;
