-- expect: refused
SELECT JSON_VALUE('{"a": 1}', '$.b' ERROR ON ERROR);
