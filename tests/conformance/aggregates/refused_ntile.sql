-- expect: refused
SELECT NTILE(2) OVER (ORDER BY PROCTIME()) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
