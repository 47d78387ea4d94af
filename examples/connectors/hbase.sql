-- Totals by card in HBase, the large payments beside them, and then all that is there.
--   tailrace run examples/connectors/hbase.sql -p THRIFT=localhost:9090
CREATE TABLE payments (card BIGINT, amount DOUBLE, seen AS PROCTIME()) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '20',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE totals (card BIGINT NOT NULL, counted ROW<n BIGINT, total DOUBLE>, PRIMARY KEY (card) NOT ENFORCED) WITH (
  'connector' = 'hbase', 'thrift-address' = '${THRIFT}', 'table-name' = 'totals', 'tailrace.create-table' = 'true'
);

INSERT INTO totals SELECT card, ROW(COUNT(*), SUM(amount)) FROM payments GROUP BY card;

SELECT card, counted.n AS n, counted.total AS total FROM totals;
