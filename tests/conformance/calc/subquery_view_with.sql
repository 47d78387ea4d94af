SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE VIEW pos AS SELECT id AS i, n * 2 AS m FROM bids WHERE n > 0;
WITH q AS (SELECT i, m + 1 AS o FROM pos) SELECT s.i, s.o FROM (SELECT * FROM q WHERE o > 5) AS s;
