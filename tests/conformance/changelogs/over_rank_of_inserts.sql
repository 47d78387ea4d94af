-- differs: Flink gives rows that are equal in their order the place of the last of them (seen on 2.2); here it is that of the first, as in SQL
CREATE TABLE rows_in (
  id BIGINT, k STRING, v BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, v, RANK() OVER (PARTITION BY k ORDER BY v) AS place FROM rows_in WHERE v > 0;
