-- expect: refused
CREATE TABLE t (id INT, s STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT LISTAGG(s ORDER BY id) AS x FROM t;
