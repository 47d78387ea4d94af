-- Totals by card in DynamoDB, where other services find them by key; then the large payments beside them.
--   aws dynamodb create-table --table-name totals --billing-mode PAY_PER_REQUEST \
--     --key-schema AttributeName=card,KeyType=HASH --attribute-definitions AttributeName=card,AttributeType=N
--   tailrace run examples/connectors/dynamodb.sql -p ENDPOINT=http://localhost:18000
CREATE TABLE payments (card BIGINT, amount DOUBLE, seen AS PROCTIME()) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '20',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE totals (card BIGINT NOT NULL, n BIGINT, total DOUBLE, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'dynamodb', 'aws.endpoint' = '${ENDPOINT}', 'aws.region' = 'eu-central-1',
  'ttl.attribute' = 'expires', 'ttl' = '1 d'
);

INSERT INTO totals SELECT card, COUNT(*), SUM(amount) FROM payments GROUP BY card;

SELECT p.card, p.amount, t.n
FROM payments AS p LEFT JOIN totals FOR SYSTEM_TIME AS OF p.seen AS t ON p.card = t.card
WHERE p.amount > 800;
