-- The same question over Kafka, for ever: alerts go into a second topic, each exactly once.
-- Needs a broker at TAILRACE_KAFKA (host:port) and the topics `payments` and `alerts`.
SET 'execution.checkpointing.interval' = '1 s';

CREATE TABLE payments (
  card STRING, amount DECIMAL(10, 2), country STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = 'payments', 'properties.bootstrap.servers' = '${env:TAILRACE_KAFKA}',
  'scan.startup.mode' = 'earliest-offset', 'format' = 'json'
);

CREATE TABLE alerts (card STRING, window_end TIMESTAMP(3), n BIGINT, total DECIMAL(38, 2))
WITH (
  'connector' = 'kafka', 'topic' = 'alerts', 'properties.bootstrap.servers' = '${env:TAILRACE_KAFKA}',
  'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'alerts', 'format' = 'json'
);

INSERT INTO alerts
SELECT card, window_end, COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY card, window_start, window_end
HAVING COUNT(*) > 10;
