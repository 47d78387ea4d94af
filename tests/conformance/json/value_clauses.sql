CREATE TABLE docs (id INT, d STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id,
  JSON_VALUE(d, '$.a' DEFAULT 'empty' ON EMPTY DEFAULT 'error' ON ERROR) AS by_default,
  JSON_VALUE(d, 'lax $.a' DEFAULT 'empty' ON EMPTY DEFAULT 'error' ON ERROR) AS lax_default,
  JSON_VALUE(d, 'strict $.n' DEFAULT 'empty' ON EMPTY DEFAULT 'error' ON ERROR) AS strict_null,
  JSON_VALUE(d, 'lax $.n' NULL ON ERROR DEFAULT 7 ON EMPTY) AS lax_null,
  JSON_VALUE(d, 'lax $.zz' RETURNING INT DEFAULT 5 ON EMPTY DEFAULT 6 ON ERROR) AS number,
  JSON_VALUE(d, 'lax $.zz' RETURNING BOOLEAN DEFAULT TRUE ON EMPTY) AS truth,
  JSON_VALUE(d, '$.t' RETURNING BOOLEAN) AS really, JSON_VALUE(d, '$.c[1]' RETURNING DOUBLE) AS dbl,
  JSON_VALUE(d, '$.c[0]' RETURNING INTEGER) AS whole, JSON_VALUE(d, '$.big' RETURNING VARCHAR(3)) AS cut,
  JSON_VALUE(d, '$..a' DEFAULT -1.50 ON ERROR) AS several
FROM docs;
