-- expect: refused
SELECT JSON_OBJECTAGG(KEY v VALUE v) FROM (VALUES ('b', 1), ('b', 2)) AS t(k, v);
