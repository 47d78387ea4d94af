-- Orders of the last days as Parquet objects, one folder a day; and their sums, read back from the store.
SET 'execution.checkpointing.interval' = '1 s';

CREATE TABLE orders (
  id BIGINT,
  shop AS CONCAT('shop-', CAST(MOD(id, 4) AS STRING)),
  amount AS MOD(id * 7, 100),
  `day` AS DATE '2026-01-01' + MOD(id, 3) * INTERVAL '1' DAY
) WITH ('connector' = 'datagen', 'number-of-rows' = '10000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '10000');

CREATE TABLE stored (id BIGINT, shop STRING, amount BIGINT, `day` DATE)
PARTITIONED BY (`day`)
WITH ('connector' = 'filesystem', 'path' = '${BUCKET}/orders', 'format' = 'parquet',
      'sink.partition-commit.policy.kind' = 'success-file', 's3.endpoint' = '${ENDPOINT}');

INSERT INTO stored SELECT id, shop, amount, `day` FROM orders;
