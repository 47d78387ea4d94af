CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), d DOUBLE, ts TIMESTAMP(3), pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT s, k, n FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY s, e ORDER BY n DESC, k) AS rn FROM (
    SELECT k, window_start AS s, window_end AS e, SUM(v) AS n FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND))
    GROUP BY k, window_start, window_end
  )
) WHERE rn = 1;
