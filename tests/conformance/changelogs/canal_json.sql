-- Several rows in one message, updates that name what has changed, and statements that change no rows.
CREATE TABLE orders (
  id BIGINT, k STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'canal-json');
SELECT * FROM orders;
