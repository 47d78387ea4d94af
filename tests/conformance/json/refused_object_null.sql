-- expect: refused
SELECT JSON_OBJECT('a' VALUE NULL);
