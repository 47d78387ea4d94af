CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE TABLE made (extra INT, v STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'filesystem', 'path' = '${OUT}/made', 'format' = 'json') AS SELECT COALESCE(id, 0) AS id, COALESCE(k, 'none') AS k, CAST(v AS STRING) AS v FROM bids;
INSERT INTO made (k, extra, id) SELECT c, 7, COALESCE(id + 100, 0) FROM bids WHERE c IS NOT NULL AND id < 5;
