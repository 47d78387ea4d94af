-- expect: refused
CREATE TABLE ticks (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY k
  MEASURES A.id AS a
  PATTERN (A B)
  DEFINE A AS A.v < 4
);
