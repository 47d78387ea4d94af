-- The rows of sessions, joined without an aggregation before it.
CREATE TABLE a (k INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/a.json', 'format' = 'json'
);
CREATE TABLE b (k INT, w STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/b.json', 'format' = 'json'
);

SELECT x.k, x.v, y.w, x.window_start, x.window_end, y.k AS yk, y.window_start AS ys, y.window_end AS ye
FROM (SELECT * FROM TABLE(SESSION(TABLE a PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' SECOND))) AS x
FULL JOIN (SELECT * FROM TABLE(SESSION(TABLE b PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' SECOND))) AS y
ON x.k = y.k AND x.window_start = y.window_start AND x.window_end = y.window_end;
