CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT *
FROM ticks MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES
    A.v AS a, FIRST(A.v) AS a0, FIRST(A.v, 1) AS a1, LAST(A.v, 1) AS al1, LAST(A.v, 2) AS al2, B.c AS bc, FIRST(v) AS f,
    LAST(v) AS l, LAST(v, 1) AS l1, FIRST(c, 2) AS f2, v AS last_v, ts AS last_ts, A.ts AS a_ts, C.price - A.price AS diff
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A{2,} B{0,2} C)
  DEFINE A AS A.v < 7, B AS B.v > 3 AND B.c = 'x', C AS C.v > 2
) AS m;
