-- Cards with many payments in five seconds, from several countries.
CREATE TABLE suspicious_cards (
  window_end TIMESTAMP(3),
  card STRING,
  payments BIGINT,
  countries BIGINT,
  total DECIMAL(38, 2)
) WITH ('connector' = 'sqlite', 'path' = '${DATABASE}');

CREATE VIEW suspicious AS
SELECT window_end, card, COUNT(*) AS payments, COUNT(DISTINCT country) AS countries, SUM(amount) AS total
FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '5' SECOND))
GROUP BY card, window_start, window_end
HAVING COUNT(*) >= 5 AND COUNT(DISTINCT country) >= 3;

INSERT INTO suspicious_cards SELECT * FROM suspicious;

SELECT * FROM suspicious;
