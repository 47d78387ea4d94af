CREATE TABLE t (
  id INT, r ROW<a BIGINT, b STRING, c ROW<x INT, y STRING>, `at` TIMESTAMP(3)>, q ROW<a BIGINT, z INT>,
  a_and_x AS r.a + r.c.x,
  ts AS COALESCE(r.`at`, TIMESTAMP '2026-01-01 00:00:00'),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE VIEW v AS SELECT id, r, q, ts, a_and_x FROM t WHERE r.c.y IS NULL OR r.c.y <> 'skip';
SELECT id, v.r.b, v.r.c.x, v.q.z, v.q IS NULL AS no_q, v.r.c IS NULL AS no_c, a_and_x, window_start
FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS v
WHERE v.r.a IS NULL OR v.r.a < 100;
