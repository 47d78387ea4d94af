-- Another service, in a process of its own: orders with the place of their courier at that moment.
--   tailrace run examples/connectors/shared_cache/reader.sql -p URL=redis://localhost:6379/0
CREATE TABLE orders (id BIGINT, courier BIGINT, seen AS PROCTIME()) WITH (
  'connector' = 'datagen', 'rows-per-second' = '500', 'number-of-rows' = '2000',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '2000',
  'fields.courier.kind' = 'random', 'fields.courier.min' = '1', 'fields.courier.max' = '25'
);

CREATE TABLE couriers (courier BIGINT NOT NULL, place STRING, PRIMARY KEY (courier) NOT ENFORCED) WITH (
  'connector' = 'redis', 'url' = '${URL}', 'key-prefix' = 'courier:'
);

CREATE TABLE placed_orders (id BIGINT, courier BIGINT, place STRING) WITH ('connector' = 'sqlite', 'path' = 'orders.db');

INSERT INTO placed_orders
SELECT o.id, o.courier, c.place
FROM orders AS o
LEFT JOIN couriers FOR SYSTEM_TIME AS OF o.seen AS c ON o.courier = c.courier;
