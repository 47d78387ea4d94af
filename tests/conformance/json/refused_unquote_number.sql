-- expect: refused
SELECT JSON_UNQUOTE(1);
