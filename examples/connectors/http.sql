-- Orders posted to /orders go on as alerts when they are large.
--   tailrace run examples/connectors/http.sql -p LISTEN=:8080 -p URL=http://localhost:9999/alerts
SET 'execution.checkpointing.interval' = '1 s';

CREATE TABLE orders (id BIGINT, card STRING, amount DOUBLE)
WITH ('connector' = 'http', 'listen' = '${LISTEN}', 'path' = '/orders', 'format' = 'json');

CREATE TABLE alerts (id BIGINT NOT NULL, card STRING, amount DOUBLE, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'http', 'url' = '${URL}', 'format' = 'json', 'body' = 'row');

INSERT INTO alerts SELECT id, card, amount FROM orders WHERE amount > 1000;
