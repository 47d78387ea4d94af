CREATE TABLE l (
  id BIGINT, k STRING, c STRING, v BIGINT, price DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/l.json', 'format' = 'debezium-json');
CREATE TABLE plain (id BIGINT, k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '${DATA}/plain.json', 'format' = 'json');
SELECT k, COUNT(*) AS n FROM (SELECT k FROM l UNION ALL SELECT k FROM plain) GROUP BY k;
