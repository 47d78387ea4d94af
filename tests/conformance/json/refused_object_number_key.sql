-- expect: refused
SELECT JSON_OBJECT(1 VALUE 2);
