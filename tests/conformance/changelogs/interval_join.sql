-- expect: refused
CREATE TABLE l (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/l.json', 'format' = 'debezium-json');
CREATE TABLE plain (id BIGINT, k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '${DATA}/plain.json', 'format' = 'json');
SELECT l.id, plain.v FROM l JOIN plain ON l.id = plain.id AND l.ts BETWEEN plain.ts - INTERVAL '5' SECOND AND plain.ts;
