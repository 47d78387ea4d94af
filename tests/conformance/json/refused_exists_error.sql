-- expect: refused
SELECT JSON_EXISTS('{"a": 1}', '$.b' ERROR ON ERROR);
