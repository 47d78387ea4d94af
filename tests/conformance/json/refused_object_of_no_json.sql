-- expect: refused
SELECT JSON_OBJECT('a' VALUE JSON('{bad'));
