-- Keys of every type.
CREATE TABLE t (
  id BIGINT, a TINYINT, b BOOLEAN, c DATE, e TIME, f DECIMAL(8, 3), h BYTES, i TIMESTAMP(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT 'a' AS x, CAST(a AS STRING) AS k, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY a, window_start, window_end
UNION ALL
SELECT 'b' AS x, CAST(b AS STRING) AS k, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY b, window_start, window_end
UNION ALL
SELECT 'c' AS x, CAST(c AS STRING) AS k, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY c, window_start, window_end
UNION ALL
SELECT 'e' AS x, CAST(e AS STRING) AS k, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY e, window_start, window_end
UNION ALL
SELECT 'f' AS x, CAST(f AS STRING) AS k, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY f, window_start, window_end
UNION ALL
SELECT 'i' AS x, CAST(i AS STRING) AS k, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY i, window_start, window_end;
