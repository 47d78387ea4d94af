CREATE TABLE bids (
  id BIGINT NOT NULL, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, COUNT(id, v) AS n, COUNT(c, id, n) AS m, COUNT(id, n) AS r, COUNT(n, v) FILTER (WHERE ok) AS f FROM (SELECT *, 1 AS n FROM bids) GROUP BY k;
