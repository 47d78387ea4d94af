-- expect: refused
SELECT JSON_VALUE('{"a": 1}', 'lax $.b' DEFAULT x ON EMPTY) FROM (VALUES ('q')) AS t(x);
