CREATE TABLE bids (
  id BIGINT, k STRING, c STRING, v BIGINT, d DOUBLE, ok BOOLEAN, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, JSON_ARRAYAGG(v) AS v, JSON_ARRAYAGG(price NULL ON NULL) AS price, JSON_ARRAYAGG(ROW(c, ok)) AS r, JSON_ARRAYAGG(JSON_OBJECT('c' VALUE c)) AS o, COUNT(*) AS n FROM bids GROUP BY k;
