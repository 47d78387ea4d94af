-- The highest bids of each ten seconds, with those as high up to the moment after.
CREATE TABLE q7 (
  auction BIGINT, price BIGINT, bidder BIGINT, `dateTime` TIMESTAMP(3), extra STRING
) WITH (${SINK});

INSERT INTO q7
SELECT b.auction, b.price, b.bidder, b.`dateTime`, b.extra
FROM bid AS b
JOIN (
  SELECT window_time, MAX(price) AS price
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end, window_time
) AS w ON b.price = w.price
-- from the start of the window to its end, which is a millisecond behind window_time
WHERE b.`dateTime` BETWEEN w.window_time - INTERVAL '9.999' SECOND AND w.window_time + INTERVAL '0.001' SECOND;
