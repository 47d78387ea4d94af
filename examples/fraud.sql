-- Cards that pay more than ten times within a minute.
CREATE TABLE payments (
  card STRING, amount DECIMAL(10, 2), country STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'payments.json', 'format' = 'json');

SELECT card, window_end, COUNT(*) AS n, SUM(amount) AS total
FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY card, window_start, window_end
HAVING COUNT(*) > 10;
