-- expect: refused
CREATE TABLE t (id INT, s STRING) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT PERCENTILE(id, 0.5) WITHIN GROUP (ORDER BY id) AS x FROM t;
