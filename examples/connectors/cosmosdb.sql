-- Totals by card in Azure Cosmos DB, where other services find them by key; then the large payments beside them.
-- The container `totals` has the partition key /card.
--   tailrace run examples/connectors/cosmosdb.sql -p ENDPOINT=https://my-account.documents.azure.com:443/ -p KEY=...
CREATE TABLE payments (card STRING, amount DOUBLE, seen AS PROCTIME()) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.length' = '1',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE totals (card STRING NOT NULL, n BIGINT, total DOUBLE, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'cosmosdb', 'endpoint' = '${ENDPOINT}', 'key' = '${KEY}', 'database' = 'shop'
);

INSERT INTO totals SELECT card, COUNT(*), SUM(amount) FROM payments GROUP BY card;

SELECT p.card, p.amount, t.n
FROM payments AS p LEFT JOIN totals FOR SYSTEM_TIME AS OF p.seen AS t ON p.card = t.card
WHERE p.amount > 800;
