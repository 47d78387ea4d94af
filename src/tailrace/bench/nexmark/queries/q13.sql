-- Bids with a value that is looked up.
CREATE TABLE side_input (`key` BIGINT, `value` STRING, PRIMARY KEY (`key`) NOT ENFORCED) WITH (${SIDE});

CREATE TABLE q13 (
  auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), `value` STRING
) WITH (${SINK});

CREATE VIEW clocked AS
SELECT *, MOD(auction, 10000) AS `key`, PROCTIME() AS p_time FROM bid;

INSERT INTO q13
SELECT b.auction, b.bidder, b.price, b.`dateTime`, s.`value`
FROM clocked AS b
JOIN side_input FOR SYSTEM_TIME AS OF b.p_time AS s ON b.`key` = s.`key`;
