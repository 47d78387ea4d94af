-- OBJECT_OF and OBJECT_UPDATE: fields, text and type; a NULL object stays NULL.
CREATE TABLE t (id INT, s STRING, d DECIMAL(5, 2)) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT
  id, o.name AS n, CAST(o AS STRING) AS txt, TYPEOF(o) AS t, o IS NULL AS e, u.age AS a, CAST(u AS STRING) AS ut,
  TYPEOF(u) AS uty, c IS NULL AS cn, c.a AS ca, o = o AS same, CAST(w AS STRING) AS wt, w.a.b AS wb
FROM (
  SELECT
    id, OBJECT_OF('com.x.User', 'name', s, 'age', id) AS o,
    OBJECT_UPDATE(OBJECT_OF('com.x.User', 'name', s, 'age', id), 'age', d, 'name', 'q') AS u,
    OBJECT_UPDATE(CASE WHEN id = 1 THEN OBJECT_OF('A', 'a', s) END, 'a', 'y') AS c,
    OBJECT_OF('A$1', 'a', OBJECT_OF('B', 'b', s), 'c', ARRAY[OBJECT_OF('C', 'c', d)], 'r', ROW(s, id)) AS w
  FROM t
);
