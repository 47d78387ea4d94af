-- What pipeline.sql has stored, by day.
CREATE TABLE stored (id BIGINT, shop STRING, amount BIGINT, `day` DATE)
PARTITIONED BY (`day`)
WITH ('connector' = 'filesystem', 'path' = '${BUCKET}/orders', 'format' = 'parquet', 's3.endpoint' = '${ENDPOINT}');

SELECT `day`, COUNT(*) AS n, SUM(amount) AS total FROM stored GROUP BY `day`;
