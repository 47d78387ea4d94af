CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT *
FROM ticks MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES
    LAST(A.v * 2, 1) AS dbl, COALESCE(B.v, -1) AS bv, A.v + SUM(B.v) AS mix, UPPER(FIRST(c)) AS up, CAST(C.v AS STRING) || C.c AS txt,
    TIMESTAMPDIFF(SECOND, A.ts, C.ts) AS secs, 1 AS single, CASE WHEN COUNT(B.id) > 1 THEN 'long' ELSE 'short' END AS kind
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (A B*? C)
  DEFINE A AS A.v < 4, C AS C.v > 6
) AS m;
