CREATE TABLE docs (id INT, d STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT id,
  JSON_QUERY(d, '$.a[?(@.p >= 2)]' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p0,
  JSON_QUERY(d, '$.a[?(@.p == 1)].q' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p1,
  JSON_QUERY(d, '$.a[?(@.q == ''x'' || @.p == 3)]' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p2,
  JSON_QUERY(d, '$.a[?(@.p > 1 && @.q != ''x'')].p' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p3,
  JSON_QUERY(d, '$.a[?(@.q < ''y'')].p' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p4,
  JSON_QUERY(d, '$.e[?(@.y == 2)]' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p5,
  JSON_QUERY(d, '$.c[?(@.d.e == 1)]' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p6,
  JSON_QUERY(d, '$.a[?(@.p == ''2'')]' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p7,
  JSON_QUERY(d, '$.a[?(1 < @.p)].p' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p8,
  JSON_QUERY(d, '$.a[?(@.q == "x")].p' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p9,
  JSON_QUERY(d, '$.a[?(@.q != null)].p' WITHOUT WRAPPER EMPTY OBJECT ON ERROR) AS p10
FROM docs;
