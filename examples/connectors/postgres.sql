-- Totals by card in PostgreSQL, exactly-once; and payments above a limit that a table of PostgreSQL has for their card.
--   tailrace run examples/connectors/postgres.sql -p URL=jdbc:postgresql://localhost:5432/postgres
CREATE TABLE payments (card BIGINT, amount DOUBLE, seen AS PROCTIME()) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '5',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE totals (card BIGINT NOT NULL, n BIGINT, total DOUBLE, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'jdbc', 'url' = '${URL}', 'table-name' = 'card_totals', 'tailrace.create-table' = 'true'
);

CREATE TABLE limits (card BIGINT NOT NULL, most DOUBLE, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'jdbc', 'url' = '${URL}', 'table-name' = 'card_limits', 'lookup.cache' = 'PARTIAL',
  'lookup.partial-cache.expire-after-write' = '1 min', 'tailrace.create-table' = 'true'
);

CREATE TABLE above (card BIGINT, amount DOUBLE, most DOUBLE) WITH (
  'connector' = 'jdbc', 'url' = '${URL}', 'table-name' = 'above_limit', 'tailrace.create-table' = 'true'
);

INSERT INTO limits VALUES (1, 100), (2, 200), (3, 300), (4, 400), (5, 500);

INSERT INTO totals SELECT card, COUNT(*), SUM(amount) FROM payments GROUP BY card;

INSERT INTO above
SELECT p.card, p.amount, l.most
FROM payments AS p
JOIN limits FOR SYSTEM_TIME AS OF p.seen AS l ON p.card = l.card
WHERE p.amount > l.most;
