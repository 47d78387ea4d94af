CREATE TABLE docs (id INT, d STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_VALUE(d, '$') AS root, JSON_VALUE(d, '$.a') AS a, JSON_VALUE(d, 'lax $.a') AS lax_a,
  JSON_VALUE(d, '$.c[1]') AS decimal_digits, JSON_VALUE(d, '$.f') AS exponent, JSON_VALUE(d, '$.t') AS truth,
  JSON_VALUE(d, '$.big') AS big, JSON_VALUE(d, '$.n') AS nothing, JSON_VALUE(d, '$.a.b') AS below
FROM docs;
