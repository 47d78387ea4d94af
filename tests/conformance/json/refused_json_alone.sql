-- expect: refused
SELECT JSON('{}');
