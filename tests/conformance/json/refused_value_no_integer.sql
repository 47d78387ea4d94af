-- expect: refused
SELECT JSON_VALUE('{"a": "x"}', '$.a' RETURNING INT);
