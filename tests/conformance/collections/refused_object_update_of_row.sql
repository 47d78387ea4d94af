-- expect: refused
CREATE TABLE t (s STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT OBJECT_UPDATE(ROW(1, 2), 'EXPR$0', 5) AS x FROM t;
