-- expect: refused
SELECT JSON_VALUE('{"a": 1}', 'lax $.b' RETURNING INT DEFAULT 'x' ON EMPTY);
