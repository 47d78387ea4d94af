CREATE TABLE rows_in (
  id BIGINT, k STRING, v BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, v, SUM(v) OVER (PARTITION BY k ORDER BY v) AS s FROM rows_in;
