-- One service: the last place of each courier, in Redis for a minute. It runs for half an hour, or until it is stopped.
--   tailrace run examples/connectors/shared_cache/writer.sql -p URL=redis://localhost:6379/0
CREATE TABLE positions (courier BIGINT, step BIGINT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '500',
  'fields.courier.kind' = 'random', 'fields.courier.min' = '1', 'fields.courier.max' = '20',
  'fields.step.kind' = 'sequence', 'fields.step.start' = '1', 'fields.step.end' = '1000000'
);

CREATE TABLE couriers (courier BIGINT NOT NULL, place STRING, PRIMARY KEY (courier) NOT ENFORCED) WITH (
  'connector' = 'redis', 'url' = '${URL}', 'key-prefix' = 'courier:', 'ttl' = '1 min'
);

INSERT INTO couriers SELECT courier, CONCAT('courier ', CAST(courier AS STRING), ' at ', CAST(step AS STRING)) FROM positions;
