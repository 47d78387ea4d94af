-- expect: refused
CREATE TABLE t (s STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT OBJECT_UPDATE(OBJECT_OF('A', 'a', s), 'b', 'q') AS x FROM t;
