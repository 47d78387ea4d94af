-- Payments into a hub of Azure Event Hubs, by card: those of a card stay in order. Then they are read and counted.
-- The connection string is a secret, and comes from the environment. The hub must be there. CA: the certificates to trust.
--   export TAILRACE_EVENTHUBS='Endpoint=sb://mine.servicebus.windows.net/;SharedAccessKeyName=...;SharedAccessKey=...'
--   tailrace run examples/connectors/eventhubs.sql -p SERVERS=mine.servicebus.windows.net:9093 \
--     -p CA=/etc/ssl/certs/ca-certificates.crt
CREATE TABLE made (card BIGINT, amount DOUBLE) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '200',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE payments (card BIGINT, amount DOUBLE) WITH (
  'connector' = 'eventhubs', 'topic' = 'payments-by-card', 'connection-string' = '${env:TAILRACE_EVENTHUBS}',
  'properties.bootstrap.servers' = '${SERVERS}', 'properties.ssl.ca.location' = '${CA}',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset',
  'key.format' = 'json', 'key.fields' = 'card', 'value.format' = 'json'
);

INSERT INTO payments SELECT card, amount FROM made;

SELECT COUNT(*) AS payments, COUNT(DISTINCT card) AS cards FROM payments;
