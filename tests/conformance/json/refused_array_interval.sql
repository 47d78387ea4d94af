-- expect: refused
SELECT JSON_ARRAY(INTERVAL '1' DAY);
