-- expect: refused
SELECT COUNT(DISTINCT k, v) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
