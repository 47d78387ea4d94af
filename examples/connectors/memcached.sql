-- Payments joined with limits of a slow table, behind a cache in Memcached that all processes share; counts by card in Memcached.
--   tailrace run examples/connectors/memcached.sql -p SERVERS=localhost:11211
CREATE TABLE limits_to_be (card BIGINT) WITH (
  'connector' = 'datagen', 'number-of-rows' = '10',
  'fields.card.kind' = 'sequence', 'fields.card.start' = '1', 'fields.card.end' = '10'
);

CREATE TABLE limits (card BIGINT NOT NULL, most DOUBLE, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'sqlite', 'path' = 'limits.db',
  'cache' = 'memcached', 'cache.servers' = '${SERVERS}', 'cache.ttl' = '10 min', 'cache.negative-ttl' = '1 s'
);

CREATE TABLE payments (card BIGINT, amount DOUBLE, seen AS PROCTIME()) WITH (
  'connector' = 'datagen', 'rows-per-second' = '500', 'number-of-rows' = '2000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '20',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE seen_cards (card BIGINT NOT NULL, n BIGINT, over_limit BIGINT, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'memcached', 'servers' = '${SERVERS}', 'format' = 'json', 'key-prefix' = 'seen:', 'ttl' = '1 h'
);

INSERT INTO limits SELECT card, card * 50.0 FROM limits_to_be;

INSERT INTO seen_cards
SELECT p.card, COUNT(*), COUNT(*) FILTER (WHERE p.amount > l.most)
FROM payments AS p
LEFT JOIN limits FOR SYSTEM_TIME AS OF p.seen AS l ON p.card = l.card
GROUP BY p.card;
