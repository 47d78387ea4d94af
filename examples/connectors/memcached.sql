-- Payments joined with the limits of cards, behind a cache in Memcached that all processes share; counts by card in Memcached.
--   sqlite3 limits.db 'CREATE TABLE limits (card INTEGER PRIMARY KEY, most REAL); INSERT INTO limits VALUES (1, 50.0), (2, 800.0)'
--   tailrace run examples/connectors/memcached.sql -p SERVERS=localhost:11211
CREATE TABLE payments (card BIGINT, amount DOUBLE, seen AS PROCTIME()) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '20',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE limits (card BIGINT NOT NULL, most DOUBLE, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'sqlite', 'path' = 'limits.db',
  'cache' = 'memcached', 'cache.servers' = '${SERVERS}', 'cache.ttl' = '10 min', 'cache.negative-ttl' = '1 min'
);

CREATE TABLE seen_cards (card BIGINT NOT NULL, n BIGINT, over_limit BIGINT, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'memcached', 'servers' = '${SERVERS}', 'format' = 'json', 'key-prefix' = 'seen:', 'ttl' = '1 h'
);

INSERT INTO seen_cards
SELECT p.card, COUNT(*), COUNT(*) FILTER (WHERE p.amount > l.most)
FROM payments AS p
LEFT JOIN limits FOR SYSTEM_TIME AS OF p.seen AS l ON p.card = l.card
GROUP BY p.card;
