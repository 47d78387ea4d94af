-- expect: refused
CREATE TABLE t (s STRING, v AS TRY_PARSE_JSON(s)) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT CAST(v AS STRING) AS x FROM t;
