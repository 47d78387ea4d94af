-- The second service, upgraded: it insures what is risky too. What older versions of the first wrote has no risk: NULL.
SET 'pipeline.name' = 'shipping';

CREATE TABLE screened (order_id BIGINT, customer STRING, amount DECIMAL(10, 2), risk STRING)
WITH ('connector' = 'kafka', 'topic' = '${SCREENED}', 'properties.bootstrap.servers' = '${BROKER}',
      'scan.startup.mode' = 'earliest-offset', 'format' = 'avro-confluent', 'avro-confluent.url' = '${REGISTRY}');

CREATE TABLE parcels (order_id BIGINT, customer STRING, insured BOOLEAN)
WITH ('connector' = 'kafka', 'topic' = '${PARCELS}', 'properties.bootstrap.servers' = '${BROKER}', 'format' = 'json',
      'sink.delivery-guarantee' = 'exactly-once');

INSERT INTO parcels SELECT order_id, customer, amount >= 200 OR COALESCE(risk, 'low') = 'high' FROM screened;
