CREATE TABLE docs (id INT, d STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id, d IS JSON AS j, d IS JSON VALUE AS v, d IS JSON OBJECT AS o, d IS JSON ARRAY AS a, d IS JSON SCALAR AS s,
  d IS NOT JSON AS nj, d IS NOT JSON OBJECT AS no_, d IS NOT JSON ARRAY AS na, d IS NOT JSON SCALAR AS ns
FROM docs;
