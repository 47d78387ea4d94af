-- expect: refused
SELECT PERCENT_RANK() OVER (ORDER BY PROCTIME()) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
