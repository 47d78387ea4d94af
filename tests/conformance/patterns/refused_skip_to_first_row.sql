-- expect: refused
CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT *
FROM ticks MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES FIRST(A.id) AS a, LAST(B.id) AS b, LAST(C.id) AS c, COUNT(A.id) AS n, COUNT(B.id) AS m, LAST(id) AS z
  AFTER MATCH SKIP TO FIRST A
  PATTERN (A B+? C)
  DEFINE A AS A.v < 5, B AS B.v > 1, C AS C.v > 4
) AS m;
