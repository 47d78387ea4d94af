-- expect: refused
SELECT JSON_OBJECTAGG(KEY NULLIF(k, 'b') VALUE v) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
