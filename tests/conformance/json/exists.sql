CREATE TABLE docs (id INT, d STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_EXISTS(d, '$.a') AS a, JSON_EXISTS(d, '$.n') AS n, JSON_EXISTS(d, '$..a') AS anywhere, JSON_EXISTS(d, 'lax $.a') AS lax_a,
  JSON_EXISTS(d, '$.a' TRUE ON ERROR) AS a_true, JSON_EXISTS(d, '$.n' TRUE ON ERROR) AS n_true,
  JSON_EXISTS(d, '$.a' UNKNOWN ON ERROR) AS a_unknown, JSON_EXISTS(d, '$.a' FALSE ON ERROR) AS a_false,
  JSON_EXISTS(d, 'lax $.zz' TRUE ON ERROR) AS lax_true
FROM docs WHERE JSON_EXISTS(d, '$.zz') IS NOT TRUE;
