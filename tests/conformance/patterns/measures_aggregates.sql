CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT *
FROM ticks MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES
    SUM(B.v) AS s, COUNT(B.v) AS n, AVG(B.v) AS av, MIN(B.v) AS lo, MAX(B.v) AS hi, SUM(v) AS total, COUNT(*) AS rws,
    COUNT(c) AS texts, MIN(c) AS least, MAX(B.ts) AS t
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (A B*? C)
  DEFINE A AS A.v < 4, C AS C.v > 6
) AS m;
