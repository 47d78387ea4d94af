CREATE TABLE t (id INT, s STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_QUOTE(s) AS q, JSON_UNQUOTE(s) AS u, JSON_UNQUOTE(JSON_QUOTE(s)) AS back FROM t;
