CREATE TABLE docs (id INT, d STRING, p STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, JSON_VALUE(d, p) AS v, JSON_QUERY(d, p EMPTY ARRAY ON ERROR) AS q FROM docs;
