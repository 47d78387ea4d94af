-- VARIANT goes through conditions, collections, aggregates and JSON_VALUE; the same text is the same value.
CREATE TABLE t (k STRING, i INT, s STRING, v AS TRY_PARSE_JSON(s)) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT
  k, COUNT(v) AS n, COUNT(DISTINCT v) AS d, FIRST_VALUE(v) AS f, LAST_VALUE(v) AS l, COUNT(*) FILTER (WHERE v = p) AS e,
  MAX(JSON_VALUE(v, '$.a')) AS m, MIN(TYPEOF(v)) AS t
FROM (SELECT *, CASE WHEN i > 1 THEN TRY_PARSE_JSON('{"a":2}') END AS p FROM t)
GROUP BY k;
