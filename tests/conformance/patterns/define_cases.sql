CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT *
FROM ticks MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES FIRST(A.id) AS a, LAST(A.id) AS z, FIRST(B.id) AS b, COUNT(A.id) AS n, COUNT(B.id) AS m
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (A B+? C)
  DEFINE B AS CASE WHEN A.v > 5 THEN B.v < A.v ELSE B.v >= A.v END, C AS C.v IN (A.v + 1, 2, 7) AND COALESCE(LAST(B.v, 1), C.v) > 3
) AS m;
