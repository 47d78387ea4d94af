-- Bids with the person who bids and the auctions that this person sells.
CREATE TABLE q23 (
  auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), name STRING, city STRING, state STRING,
  own_auction BIGINT, itemName STRING, category BIGINT
) WITH (${SINK});

INSERT INTO q23
SELECT b.auction, b.bidder, b.price, b.`dateTime`, p.name, p.city, p.state, a.id, a.itemName, a.category
FROM bid AS b
JOIN person AS p ON b.bidder = p.id
JOIN auction AS a ON p.id = a.seller;
