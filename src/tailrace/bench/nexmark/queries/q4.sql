-- The average winning price of each category.
CREATE TABLE q4 (category BIGINT, price BIGINT, PRIMARY KEY (category) NOT ENFORCED) WITH (${SINK});

INSERT INTO q4
SELECT category, AVG(highest)
FROM (
  SELECT a.id, a.category, MAX(b.price) AS highest
  FROM auction AS a
  JOIN bid AS b ON a.id = b.auction
  WHERE b.`dateTime` BETWEEN a.`dateTime` AND a.expires
  GROUP BY a.id, a.category
)
GROUP BY category;
