-- expect: refused
SELECT JSON_QUERY('[1]', '$' RETURNING ARRAY<INT>);
