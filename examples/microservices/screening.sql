-- The first service: takes orders, keeps those that can be paid, and tells the others by a topic with schemas in a registry.
SET 'pipeline.name' = 'screening';

CREATE TABLE orders (order_id BIGINT, customer STRING, amount DECIMAL(10, 2))
WITH ('connector' = 'kafka', 'topic' = '${ORDERS}', 'properties.bootstrap.servers' = '${BROKER}',
      'scan.startup.mode' = 'earliest-offset', 'format' = 'json', 'tailrace.on-error' = 'drop');

CREATE TABLE screened (order_id BIGINT, customer STRING, amount DECIMAL(10, 2))
WITH ('connector' = 'kafka', 'topic' = '${SCREENED}', 'properties.bootstrap.servers' = '${BROKER}',
      'format' = 'avro-confluent', 'avro-confluent.url' = '${REGISTRY}', 'sink.delivery-guarantee' = 'exactly-once');

INSERT INTO screened SELECT order_id, customer, amount FROM orders WHERE amount > 0;
