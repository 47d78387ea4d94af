-- The second service: takes what the first has let through, whichever version of it wrote that, and sends parcels.
SET 'pipeline.name' = 'shipping';

CREATE TABLE screened (order_id BIGINT, customer STRING, amount DECIMAL(10, 2))
WITH ('connector' = 'kafka', 'topic' = '${SCREENED}', 'properties.bootstrap.servers' = '${BROKER}',
      'scan.startup.mode' = 'earliest-offset', 'format' = 'avro-confluent', 'avro-confluent.url' = '${REGISTRY}');

CREATE TABLE parcels (order_id BIGINT, customer STRING, insured BOOLEAN)
WITH ('connector' = 'kafka', 'topic' = '${PARCELS}', 'properties.bootstrap.servers' = '${BROKER}', 'format' = 'json',
      'sink.delivery-guarantee' = 'exactly-once');

INSERT INTO parcels SELECT order_id, customer, amount >= 200 FROM screened;
