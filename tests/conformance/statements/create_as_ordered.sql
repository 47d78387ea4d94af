CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE OR REPLACE TABLE made (k, id) WITH ('connector' = 'filesystem', 'path' = '${OUT}/made', 'format' = 'json') AS SELECT id, k FROM bids;
INSERT INTO made SELECT c, id FROM bids WHERE id < 5;
