-- Counts of payments by card in Redis, where other services look them up; and a pipeline that does.
--   tailrace run examples/connectors/redis.sql -p URL=redis://localhost:6379/0
CREATE TABLE payments (card BIGINT, amount DOUBLE, seen AS PROCTIME()) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '20',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE totals (card BIGINT NOT NULL, n BIGINT, total DOUBLE, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'redis', 'url' = '${URL}', 'data-type' = 'hash', 'key-prefix' = 'totals:', 'ttl' = '1 h'
);

CREATE TABLE large_payments (card BIGINT, amount DOUBLE, n BIGINT) WITH (
  'connector' = 'redis', 'url' = '${URL}', 'data-type' = 'stream', 'stream' = 'large-payments', 'format' = 'json',
  'stream.max-length' = '10000'
);

INSERT INTO totals SELECT card, COUNT(*), SUM(amount) FROM payments GROUP BY card;

INSERT INTO large_payments
SELECT p.card, p.amount, t.n
FROM payments AS p
LEFT JOIN totals FOR SYSTEM_TIME AS OF p.seen AS t ON p.card = t.card
WHERE p.amount > 800;
