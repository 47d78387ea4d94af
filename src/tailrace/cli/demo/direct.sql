-- The payments as they are made.
CREATE VIEW payments AS SELECT id, card, amount, country, ts FROM generated;
