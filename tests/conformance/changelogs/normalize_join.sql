SET 'table.exec.source.cdc-events-duplicate' = 'true';
CREATE TABLE l (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3), PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/l.json', 'format' = 'debezium-json');
CREATE TABLE r (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3), PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/r.json', 'format' = 'debezium-json');
SELECT l.id, l.v, r.k AS rk FROM l LEFT JOIN r ON l.id = r.id;
