-- expect: refused
SELECT JSON_ARRAYAGG(DATE '2020-01-01') FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
