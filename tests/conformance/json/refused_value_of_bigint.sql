-- expect: refused
SELECT JSON_VALUE('{"a": 1}', '$.a' RETURNING BIGINT);
