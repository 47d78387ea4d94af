-- expect: refused
SELECT JSON_QUERY('{"a": 1}', '$.a' ERROR ON ERROR);
