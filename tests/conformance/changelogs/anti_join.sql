CREATE TABLE l (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/l.json', 'format' = 'debezium-json');
CREATE TABLE r (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/r.json', 'format' = 'debezium-json');
SELECT id, k, v FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.id = l.id);
