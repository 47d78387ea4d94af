SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, ok AND v > 0 AS a, ok OR v > 0 AS o, NOT ok AS n, ok IS TRUE AS t, ok IS NOT FALSE AS nf, ok IS UNKNOWN AS u, k = 'a' OR k IS NULL AS e FROM bids;
