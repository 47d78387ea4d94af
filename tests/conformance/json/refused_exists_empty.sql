-- expect: refused
SELECT JSON_EXISTS('{"a": 1}', '$.b' TRUE ON EMPTY);
