-- expect: refused
CREATE TABLE t (s STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT OBJECT_UPDATE(OBJECT_OF('A', 'a', s), 'a', 'q', 'a', 's') AS x FROM t;
