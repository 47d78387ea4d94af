-- expect: refused
CREATE TABLE t (s STRING, v AS TRY_PARSE_JSON(s)) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT s FROM t ORDER BY v LIMIT 2;
