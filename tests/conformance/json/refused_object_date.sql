-- expect: refused
SELECT JSON_OBJECT('a' VALUE DATE '2020-01-01');
