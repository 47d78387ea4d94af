-- expect: refused
SELECT JSON_ARRAYAGG(DISTINCT v) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
