CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT c, COUNT(*) AS n, SUM(gap) AS gaps
FROM (SELECT k, c, v, ts, id FROM ticks WHERE v IS NOT NULL) MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES A.c AS c, B.v - A.v AS gap
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B)
  DEFINE A AS A.v < 5, B AS B.v > A.v
)
GROUP BY c;
