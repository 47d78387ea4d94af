-- expect: refused
SELECT CUME_DIST() OVER (ORDER BY PROCTIME()) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
