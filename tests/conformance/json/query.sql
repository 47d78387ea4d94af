CREATE TABLE docs (id INT, d STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_QUERY(d, '$') AS root, JSON_QUERY(d, '$.a') AS a, JSON_QUERY(d, 'lax $.a') AS lax_a, JSON_QUERY(d, '$.c') AS c,
  JSON_QUERY(d, '$.a' WITH WRAPPER) AS wrapped, JSON_QUERY(d, '$.a' WITH CONDITIONAL ARRAY WRAPPER) AS maybe,
  JSON_QUERY(d, '$.c' WITH UNCONDITIONAL WRAPPER) AS c_wrapped, JSON_QUERY(d, '$.n' WITHOUT ARRAY WRAPPER) AS nothing
FROM docs;
