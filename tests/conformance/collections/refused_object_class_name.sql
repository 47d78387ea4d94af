-- expect: refused
CREATE TABLE t (s STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT OBJECT_OF('1 2', 'a', s) AS x FROM t;
