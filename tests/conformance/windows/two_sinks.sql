-- A statement set: two windows over one table, into two tables.
CREATE TABLE t (
  id BIGINT, k STRING, g INT, v BIGINT, d DOUBLE, p DECIMAL(10, 2), b BOOLEAN, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
CREATE TABLE o1 (k STRING, e TIMESTAMP(3), n BIGINT) WITH ('connector' = 'filesystem', 'path' = '${OUT}/o1', 'format' = 'json');
CREATE TABLE o2 (e TIMESTAMP(3), s BIGINT) WITH ('connector' = 'filesystem', 'path' = '${OUT}/o2', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
INSERT INTO o1 SELECT k, window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO o2 SELECT window_end, SUM(v) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)) GROUP BY window_start, window_end;
END;
