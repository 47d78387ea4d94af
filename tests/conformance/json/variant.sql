-- Each kind of JSON value as a VARIANT: sorted keys, numbers as they are kept, and what is no JSON.
CREATE TABLE t (id INT, s STRING, v AS TRY_PARSE_JSON(s), w AS TRY_PARSE_JSON(s, TRUE)) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/t.json', 'format' = 'json'
);

SELECT id, v, w, v IS NULL AS a, w IS NOT NULL AS b FROM t;
