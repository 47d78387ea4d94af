CREATE TABLE l (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/l.json', 'format' = 'debezium-json');
CREATE TABLE r (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/r.json', 'format' = 'debezium-json');
SELECT l.id, r.v, x.n FROM l JOIN r ON l.id = r.id JOIN (SELECT k, COUNT(*) AS n FROM r GROUP BY k) AS x ON x.k = l.k;
