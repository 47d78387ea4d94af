CREATE TABLE orders (
  id BIGINT, k STRING, tags ARRAY<STRING>
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'debezium-json');
SELECT id, tag, COUNT(*) AS n FROM orders CROSS JOIN UNNEST(tags) AS u (tag) GROUP BY id, tag;
