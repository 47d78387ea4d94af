-- A constant on the left of a comparison with a CASE that takes the same constant branch for all rows of a batch.
CREATE TABLE t (id BIGINT, v BIGINT, k STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id,
  NULLIF(CAST(5 AS BIGINT), CASE WHEN v IS NULL THEN 5 ELSE v END) AS n,
  3 = CASE WHEN v IS NULL THEN 5 ELSE v END AS e,
  3 < CASE WHEN v IS NULL THEN 5 ELSE v END AS l,
  CAST('a' AS STRING) IS NOT DISTINCT FROM CASE WHEN k IS NULL THEN 'a' ELSE k END AS d,
  4 <= NULLIF(v, v) AS u
FROM t;
