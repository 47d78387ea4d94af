CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
ALTER TABLE bids DROP (c, d);
ALTER TABLE bids ADD (w AS v * 2, d STRING FIRST, x INT AFTER id);
ALTER TABLE bids RENAME ok TO okay;
ALTER TABLE bids DROP w;
ALTER TABLE bids MODIFY (v STRING AFTER k, d DOUBLE);
ALTER TABLE bids ADD w AS CHAR_LENGTH(v);
SELECT * FROM bids;
