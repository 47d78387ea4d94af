-- As many bids as have a low average, one after the other.
CREATE TABLE cep1 (
  auction BIGINT, bidder BIGINT, starttime TIMESTAMP(3), endtime TIMESTAMP(3), average BIGINT
) WITH (${SINK});

INSERT INTO cep1
SELECT auction, bidder, starttime, endtime, average
FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder
  ORDER BY `dateTime`
  MEASURES
    FIRST(A.`dateTime`) AS starttime,
    LAST(A.`dateTime`) AS endtime,
    AVG(A.price) AS average
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A+ B)
  DEFINE
    A AS AVG(A.price) < 10000
);
