-- expect: refused
CREATE TABLE t (s STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT OBJECT_OF('A', s, s) AS x FROM t;
