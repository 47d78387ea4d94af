-- expect: refused
SELECT 1 IS JSON;
