-- expect: refused
SELECT COUNT(NULLIF(k, 'b'), NULLIF(v, 1)) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
