SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, EXTRACT(HOUR FROM ts) AS h, YEAR(ts) AS y, MONTH(ts) AS mo, DAYOFMONTH(ts) AS dm, MINUTE(ts) AS mi, SECOND(ts) AS se, ts + INTERVAL '1' DAY AS t1, ts - INTERVAL '90' MINUTE AS t2, DATE_FORMAT(ts, 'yyyy/MM/dd HH:mm') AS f, FLOOR(ts TO MINUTE) AS fm, CEIL(ts TO HOUR) AS ch, TIMESTAMPADD(MONTH, 1, ts) AS am, TIMESTAMPDIFF(DAY, TIMESTAMP '2025-12-25 00:00:00', ts) AS td, TO_TIMESTAMP('2026-01-02 03:04:05') AS tt, TO_DATE('2026-02-03') AS dd, DAYOFWEEK(ts) AS dw, QUARTER(ts) AS q FROM bids;
