-- The payments go to a topic, and are read back from it.
CREATE TABLE payments (
  id BIGINT,
  card STRING,
  amount DECIMAL(10, 2),
  country STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '${TOPIC}', 'properties.bootstrap.servers' = '${BROKER}',
  'format' = 'json', 'scan.startup.mode' = 'earliest-offset'
);

INSERT INTO payments SELECT id, card, CAST(amount AS DECIMAL(10, 2)), country, ts FROM generated;
