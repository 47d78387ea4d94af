SET 'table.local-time-zone' = 'Europe/Berlin';
CREATE TABLE bids (
  id BIGINT, k STRING, v BIGINT, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3), lts AS CAST(ts AS TIMESTAMP_LTZ(3)),
  WATERMARK FOR lts AS lts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, window_start, window_end, CAST(window_time AS STRING) AS wt, COUNT(*) AS n FROM TABLE(SESSION(TABLE bids PARTITION BY k, DESCRIPTOR(lts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end, window_time;
