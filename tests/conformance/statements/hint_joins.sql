CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT /*+ BROADCAST(x), SHUFFLE_HASH('y'), SHUFFLE_MERGE(x, y), NEST_LOOP(x), LOOKUP('table' = 'y') */ x.id, y.v FROM bids AS x LEFT JOIN bids AS y ON x.id = y.v;
