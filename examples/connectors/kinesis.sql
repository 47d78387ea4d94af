-- Payments into a stream of Kinesis, by card: those of a card stay in order.
-- Credentials come from the environment, as for the tools of AWS. The stream must be there.
--   tailrace run examples/connectors/kinesis.sql -p REGION=eu-central-1 -p ENDPOINT=https://kinesis.eu-central-1.amazonaws.com
CREATE TABLE made (card BIGINT, amount DOUBLE) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '200',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE payments (card BIGINT, amount DOUBLE) PARTITIONED BY (card) WITH (
  'connector' = 'kinesis', 'stream' = 'payments', 'aws.region' = '${REGION}', 'aws.endpoint' = '${ENDPOINT}',
  'format' = 'json'
);

INSERT INTO payments SELECT card, amount FROM made;
