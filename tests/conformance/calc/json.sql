SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, n INT, d DOUBLE, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_VALUE('{"a": {"b": 7}}', '$.a.b') AS j, JSON_EXISTS('{"a": 1}', '$.b') AS e, JSON_QUERY('{"a": [1, 2]}', '$.a') AS q, '{}' IS JSON AS i FROM bids WHERE id < 3;
