-- Customers of PostgreSQL into Redis, where other services find them too. It ends when all are there.
CREATE TABLE customers (customer STRING NOT NULL, region STRING, PRIMARY KEY (customer) NOT ENFORCED) WITH (
  'connector' = 'jdbc', 'url' = '${POSTGRES}', 'table-name' = 'customers'
);

CREATE TABLE cached (customer STRING NOT NULL, region STRING, PRIMARY KEY (customer) NOT ENFORCED) WITH (
  'connector' = 'redis', 'url' = '${REDIS}', 'key-prefix' = 'customers:', 'ttl' = '1 d'
);

INSERT INTO cached SELECT customer, region FROM customers;
