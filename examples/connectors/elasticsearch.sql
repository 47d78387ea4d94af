-- Totals by card in an index, one document for each; and all large payments in a data stream.
--   tailrace run examples/connectors/elasticsearch.sql -p HOSTS=http://localhost:9200
CREATE TABLE payments (id BIGINT, card BIGINT, amount DOUBLE) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '20',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE totals (card BIGINT NOT NULL, n BIGINT, total DOUBLE, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'elasticsearch', 'hosts' = '${HOSTS}', 'index' = 'totals'
);

CREATE TABLE large_payments (`@timestamp` TIMESTAMP_LTZ(3), card BIGINT, amount DOUBLE) WITH (
  'connector' = 'elasticsearch', 'hosts' = '${HOSTS}', 'index' = 'large-payments', 'data-stream' = 'true'
);

EXECUTE STATEMENT SET BEGIN
INSERT INTO totals SELECT card, COUNT(*), SUM(amount) FROM payments GROUP BY card;
INSERT INTO large_payments SELECT TO_TIMESTAMP_LTZ(1767225600000 + id * 1000, 3), card, amount FROM payments WHERE amount > 800;
END;
