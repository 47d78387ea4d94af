-- expect: refused
SELECT JSON_ARRAY(MAP[1, 2]);
