-- expect: refused
CREATE TABLE a (id INT, s STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json');
CREATE TABLE b (id INT, s STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.json', 'format' = 'json');
SELECT /*+ LOOKUP('table' = 'b', 'retry-predicate' = 'lookup_miss', 'max-attempts' = '2') */ a.id FROM a JOIN b ON a.id = b.id;
