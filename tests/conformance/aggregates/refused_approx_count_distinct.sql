-- expect: refused
SELECT APPROX_COUNT_DISTINCT(v) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
