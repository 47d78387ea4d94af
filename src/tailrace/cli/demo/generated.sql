-- Made-up card payments. One in 250 is made with one of four stolen cards, which are used in many countries at once;
-- each seven seconds they are others. Payments come up to 0.9 seconds out of order. A few come without their time: these
-- become dead letters.
CREATE TABLE dead_letters (
  `source` STRING, `partition` STRING, `offset` BIGINT, stage STRING, operator STRING,
  code STRING, reason STRING, payload STRING, `time` TIMESTAMP(3)
) WITH ('connector' = 'sqlite', 'path' = '${DATABASE}');

CREATE TABLE generated (
  id BIGINT,
  pick INT,
  holder INT,
  cents DECIMAL(10, 2),
  place INT,
  ts TIMESTAMP(3),
  stolen AS pick < 4,
  card AS CASE
    WHEN pick < 4 THEN 'stolen-' || CAST(MOD(id / (${RATE} * 7), 100) * 4 + pick AS STRING)
    ELSE 'card-' || CAST(holder AS STRING)
  END,
  amount AS CASE WHEN pick < 4 THEN cents * 5 ELSE cents END,
  country AS CASE
    WHEN pick >= 4 OR place < 40 THEN 'DE'
    WHEN place < 55 THEN 'FR'
    WHEN place < 70 THEN 'BR'
    WHEN place < 85 THEN 'US'
    ELSE 'JP'
  END,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen', 'rows-per-second' = '${RATE}', 'tailrace.seed' = '${SEED}',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '9000000000000000000',
  'fields.pick.min' = '0', 'fields.pick.max' = '999',
  'fields.holder.min' = '10000', 'fields.holder.max' = '49999',
  'fields.cents.min' = '1.00', 'fields.cents.max' = '180.00',
  'fields.place.min' = '0', 'fields.place.max' = '99',
  'fields.ts.max-past' = '900 ms', 'fields.ts.null-rate' = '0.00003',
  'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'dead_letters'
);
