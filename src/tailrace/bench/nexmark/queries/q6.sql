-- The average of each seller's last eleven winning prices, at each of them.
CREATE TABLE q6 (seller BIGINT, price BIGINT) WITH (${SINK});

INSERT INTO q6
SELECT
  seller,
  AVG(price) OVER (PARTITION BY seller ORDER BY `dateTime` ROWS BETWEEN 10 PRECEDING AND CURRENT ROW)
FROM (
  SELECT
    a.seller, b.price, b.`dateTime`,
    ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.`dateTime`) AS place
  FROM auction AS a
  JOIN bid AS b ON a.id = b.auction
  WHERE b.`dateTime` BETWEEN a.`dateTime` AND a.expires
)
WHERE place = 1;
