CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE VIEW few AS SELECT id FROM bids WHERE id < 10;
ALTER VIEW few AS SELECT id, v FROM bids WHERE id > 20;
SELECT * FROM few;
