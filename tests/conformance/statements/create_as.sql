CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE TABLE made WITH ('connector' = 'filesystem', 'path' = '${OUT}/made', 'format' = 'json') AS SELECT id, k, v + 1 AS w, price FROM bids WHERE v > 0;
INSERT INTO made SELECT id, k, v, price FROM bids WHERE v < 0;
