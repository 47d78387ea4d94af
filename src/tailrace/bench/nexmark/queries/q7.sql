-- The highest bids of each ten seconds.
CREATE TABLE q7 (
  auction BIGINT, price BIGINT, bidder BIGINT, `dateTime` TIMESTAMP(3), extra STRING
) WITH (${SINK});

INSERT INTO q7
SELECT b.auction, b.price, b.bidder, b.`dateTime`, b.extra
FROM bid AS b
JOIN (
  SELECT window_end, MAX(price) AS price
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end
) AS w ON b.price = w.price
WHERE b.`dateTime` BETWEEN w.window_end - INTERVAL '10' SECOND AND w.window_end;
