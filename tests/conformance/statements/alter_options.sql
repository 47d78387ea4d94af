CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
ALTER TABLE bids SET ('path' = '${DATA}', 'csv.field-delimiter' = ';');
ALTER TABLE bids RESET ('csv.field-delimiter', 'other');
ALTER TABLE bids RENAME TO offers;
CREATE VIEW few AS SELECT id, v FROM offers WHERE id < 10;
ALTER VIEW few RENAME TO some_;
SELECT id, v AS n FROM some_;
