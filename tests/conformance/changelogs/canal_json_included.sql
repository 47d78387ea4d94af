-- Only the changes of tables whose names match as a whole.
CREATE TABLE orders (id BIGINT, k STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'canal-json',
  'canal-json.database.include' = 'shop_\d', 'canal-json.table.include' = 'orders|orders_\d+'
);
SELECT * FROM orders;
