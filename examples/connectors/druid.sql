-- Sales into a datasource of Druid, rolled up by the hour.
--   tailrace run examples/connectors/druid.sql -p DRUID=http://localhost:8888
CREATE TABLE sales (n BIGINT, shop INT, amount DOUBLE) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000',
  'fields.shop.min' = '1', 'fields.shop.max' = '5', 'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE hourly (`__time` TIMESTAMP_LTZ(3), shop INT, amount DOUBLE) WITH (
  'connector' = 'druid', 'url' = '${DRUID}', 'datasource' = 'sales', 'sink.ingestion' = 'batch',
  'rollup' = 'true', 'query-granularity' = 'hour', 'metrics' = 'n = count; total = doubleSum(amount)'
);

INSERT INTO hourly SELECT TO_TIMESTAMP_LTZ(1767225600000 + n * 1000, 3), shop, amount FROM sales;
