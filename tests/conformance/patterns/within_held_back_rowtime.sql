-- differs: Flink gives the time that the watermark had come to when the match was let go, which is no time at the end of the input; here it is the
-- differs: time until which the earlier match could last
CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT *
FROM ticks MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES A.id AS a, C.id AS c, MATCH_ROWTIME() AS t
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (A B*? C) WITHIN INTERVAL '10' SECOND
  DEFINE C AS C.v > A.v AND C.v < A.v + 5
) AS m;
