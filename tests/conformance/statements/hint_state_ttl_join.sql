CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT /*+ STATE_TTL('x' = '1d', 'y' = '12 h') */ x.id, y.v FROM bids AS x JOIN bids AS y ON x.id = y.id + 1;
