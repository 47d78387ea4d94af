CREATE TABLE other (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
SELECT id, v FROM other /*+ OPTIONS('path' = '${DATA}') */ AS o WHERE v > 1;
