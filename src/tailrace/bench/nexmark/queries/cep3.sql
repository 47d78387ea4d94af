-- A price that drops in less than five seconds.
CREATE TABLE cep3 (auction BIGINT, bidder BIGINT, droptime TIMESTAMP(3), `drop` BIGINT) WITH (${SINK});

INSERT INTO cep3
SELECT auction, bidder, droptime, fall
FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder
  ORDER BY `dateTime`
  MEASURES
    C.`dateTime` AS droptime,
    A.price - C.price AS fall
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B* C) WITHIN INTERVAL '5' SECOND
  DEFINE
    B AS B.price > A.price - 50,
    C AS C.price < A.price - 50
);
