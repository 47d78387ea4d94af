-- Orders of RabbitMQ, priced by PostgreSQL behind a cache in Redis, with the customer's region out of Redis, meet their
-- payments of Kafka: totals go to Cassandra, each paid order to OpenSearch.
SET 'execution.checkpointing.interval' = '1 s';
SET 'table.exec.state.ttl' = '1 d';

CREATE TABLE orders (order_id BIGINT, customer STRING, product STRING, quantity INT, seen AS PROCTIME()) WITH (
  'connector' = 'rabbitmq', 'url' = '${RABBITMQ}', 'queue' = 'orders', 'queue.type' = 'quorum', 'format' = 'json'
);

CREATE TABLE payments (order_id BIGINT, amount DECIMAL(12, 2)) WITH (
  'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA}', 'topic' = 'payments',
  'scan.startup.mode' = 'earliest-offset', 'format' = 'json'
);

CREATE TABLE products (product STRING NOT NULL, category STRING, price DECIMAL(10, 2), PRIMARY KEY (product) NOT ENFORCED) WITH (
  'connector' = 'jdbc', 'url' = '${POSTGRES}', 'table-name' = 'products',
  'cache' = 'redis', 'cache.url' = '${REDIS}', 'cache.prefix' = 'products:', 'cache.ttl' = '10 min'
);

CREATE TABLE customers (customer STRING NOT NULL, region STRING, PRIMARY KEY (customer) NOT ENFORCED) WITH (
  'connector' = 'redis', 'url' = '${REDIS}', 'key-prefix' = 'customers:'
);

CREATE TABLE totals (
  region STRING NOT NULL, category STRING NOT NULL, orders BIGINT, due DECIMAL(38, 2), paid DECIMAL(38, 2),
  PRIMARY KEY (region, category) NOT ENFORCED
) WITH (
  'connector' = 'cassandra', 'contact-points' = '${CASSANDRA}', 'keyspace' = 'shop', 'tailrace.create-table' = 'true'
);

CREATE TABLE paid_orders (
  order_id BIGINT NOT NULL, customer STRING, region STRING, category STRING, due DECIMAL(12, 2), paid DECIMAL(12, 2),
  PRIMARY KEY (order_id) NOT ENFORCED
) WITH (
  'connector' = 'opensearch', 'hosts' = '${OPENSEARCH}', 'index' = 'paid-orders'
);

CREATE VIEW priced AS
SELECT o.order_id, o.customer, c.region, p.category, CAST(o.quantity * p.price AS DECIMAL(12, 2)) AS due
FROM orders AS o
JOIN products FOR SYSTEM_TIME AS OF o.seen AS p ON o.product = p.product
JOIN customers FOR SYSTEM_TIME AS OF o.seen AS c ON o.customer = c.customer;

CREATE VIEW settled AS
SELECT o.order_id, o.customer, o.region, o.category, o.due, p.amount AS paid
FROM priced AS o JOIN payments AS p ON o.order_id = p.order_id;

EXECUTE STATEMENT SET BEGIN
INSERT INTO totals SELECT region, category, COUNT(*), SUM(due), SUM(paid) FROM settled GROUP BY region, category;
INSERT INTO paid_orders SELECT order_id, customer, region, category, due, paid FROM settled;
END;
