-- differs: with a default Flink gives -1 for a value that is NULL; here it stays NULL
CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, LAG(v, 1, CAST(-99 AS BIGINT)) OVER (PARTITION BY k ORDER BY ts) AS p FROM bids;
