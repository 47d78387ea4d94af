-- A price that falls, and rises again.
CREATE TABLE cep0 (
  auction BIGINT, bidder BIGINT, starttime TIMESTAMP(3), bottomtime TIMESTAMP(3), endtime TIMESTAMP(3)
) WITH (${SINK});

INSERT INTO cep0
SELECT auction, bidder, starttime, bottomtime, endtime
FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder
  ORDER BY `dateTime`
  MEASURES
    A.`dateTime` AS starttime,
    LAST(DOWN.`dateTime`) AS bottomtime,
    UP.`dateTime` AS endtime
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST UP
  PATTERN (A DOWN+ UP)
  DEFINE
    DOWN AS (LAST(DOWN.price, 1) IS NULL AND DOWN.price < A.price) OR DOWN.price < LAST(DOWN.price, 1),
    UP AS UP.price > LAST(DOWN.price)
);
