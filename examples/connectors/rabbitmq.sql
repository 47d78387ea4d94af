-- Payments into a quorum queue of RabbitMQ, which is made if it is not there.
--   tailrace run examples/connectors/rabbitmq.sql -p URL=amqp://localhost:5672/
CREATE TABLE made (card BIGINT, amount DOUBLE) WITH (
  'connector' = 'datagen', 'number-of-rows' = '1000',
  'fields.card.kind' = 'random', 'fields.card.min' = '1', 'fields.card.max' = '20',
  'fields.amount.min' = '1', 'fields.amount.max' = '900'
);

CREATE TABLE payments (card BIGINT, amount DOUBLE) WITH (
  'connector' = 'rabbitmq', 'url' = '${URL}', 'queue' = 'payments', 'queue.type' = 'quorum', 'queue.declare' = 'true',
  'format' = 'json'
);

INSERT INTO payments SELECT card, amount FROM made;
