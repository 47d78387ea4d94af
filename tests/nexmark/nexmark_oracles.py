"""
What each query must give, computed in one go from all events: plain Polars, nothing of the engine.

The columns are those of the query's table, in order. Where a query leaves ties open, rows that came earlier count as
better (as higher, or as the earlier of two times), as they do in Flink with one partition.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from nexmark_events import Auction

SECOND = 1000
DAY = pl.col("dateTime").dt.strftime("%Y-%m-%d").alias("day")
RANKS = (
    pl.col("price") < 10_000,
    (pl.col("price") >= 10_000) & (pl.col("price") < 1_000_000),
    pl.col("price") >= 1_000_000,
)


def q0(a: Auction) -> pl.DataFrame:
    return a.bids.select("auction", "bidder", "price", "dateTime", "extra")


def _exchanged(price: pl.Expr) -> pl.Expr:
    """Give 0.908 times a price, exactly."""
    return (price * 908).cast(pl.Decimal(38, 0)) / pl.lit(1000).cast(pl.Decimal(38, 3))


def q1(a: Auction) -> pl.DataFrame:
    return q0(a).with_columns(_thousandths(pl.col("price") * 908))


def _thousandths(number: pl.Expr) -> pl.Expr:
    """Give a number of thousandths as a decimal."""
    text = number.cast(pl.String).str.zfill(4)
    return (text.str.slice(0, text.str.len_chars() - 3) + "." + text.str.tail(3)).str.to_decimal(scale=3)


def q2(a: Auction) -> pl.DataFrame:
    return a.bids.filter(pl.col("auction") % 123 == 0).select("auction", "price")


def q3(a: Auction) -> pl.DataFrame:
    sellers = a.persons.filter(pl.col("state").is_in(["OR", "ID", "CA"])).rename({"id": "seller"})
    offers = a.auctions.filter(pl.col("category") == 10).select("id", "seller")
    return offers.join(sellers, on="seller").select("name", "city", "state", "id")


def _valid(a: Auction) -> pl.DataFrame:
    """Give all bids within their auction's time, beside the auction; the bid's columns begin with `bid_`."""
    bids = a.bids.select(pl.col("auction"), pl.all().name.prefix("bid_"))
    both = a.auctions.drop("number").join(bids, left_on="id", right_on="auction")
    return both.filter(pl.col("bid_dateTime").is_between(pl.col("dateTime"), pl.col("expires")))


def _winning(a: Auction) -> pl.DataFrame:
    order = _valid(a).sort("id", "bid_price", "bid_dateTime", "bid_number", descending=[False, True, False, False])
    return order.unique("id", keep="first", maintain_order=True)


def q4(a: Auction) -> pl.DataFrame:
    highest = _valid(a).group_by("id", "category").agg(pl.col("bid_price").max())
    average = pl.col("bid_price").sum() // pl.len()
    return highest.group_by("category").agg(average.cast(pl.Int64).alias("price"))


def q5(a: Auction) -> pl.DataFrame:
    time = pl.col("dateTime").to_physical()
    first = time // (2 * SECOND) * 2 * SECOND
    each = pl.concat([a.bids.select("auction", (first - i * 2 * SECOND).alias("start")) for i in range(5)])
    counts = each.group_by("auction", "start").agg(pl.len().cast(pl.Int64).alias("num"))
    return counts.filter(pl.col("num") == pl.col("num").max().over("start")).select("auction", "num")


def q6(a: Auction) -> pl.DataFrame:
    out = []
    for (seller,), wins in _winning(a).sort("bid_dateTime").group_by("seller", maintain_order=True):
        prices = wins["bid_price"].to_list()
        for i in range(len(prices)):
            last = prices[max(0, i - 10) : i + 1]
            out.append((seller, sum(last) // len(last)))
    return pl.DataFrame(out, schema={"seller": pl.Int64, "price": pl.Int64}, orient="row")


def q7(a: Auction) -> pl.DataFrame:
    start = (pl.col("dateTime").to_physical() // (10 * SECOND) * 10 * SECOND).alias("start")
    highest = a.bids.group_by(start).agg(pl.col("price").max())
    both = a.bids.join(highest, on="price")
    time = pl.col("dateTime").to_physical()
    inside = time.is_between(pl.col("start"), pl.col("start") + 10 * SECOND)
    return both.filter(inside).select("auction", "price", "bidder", "dateTime", "extra")


def q8(a: Auction) -> pl.DataFrame:
    start = (pl.col("dateTime").to_physical() // (10 * SECOND) * 10 * SECOND).cast(pl.Datetime("ms")).alias("starttime")
    persons = a.persons.select("id", "name", start).unique()
    sellers = a.auctions.select(pl.col("seller").alias("id"), start).unique()
    return persons.join(sellers, on=["id", "starttime"]).select("id", "name", "starttime")


def q9(a: Auction) -> pl.DataFrame:
    auction = [c for c in a.auctions.columns if c != "number"]
    bid = ["auction", "bid_bidder", "bid_price", "bid_dateTime", "bid_extra"]
    return _winning(a).with_columns(pl.col("id").alias("auction")).select(*auction, *bid)


def q10(a: Auction) -> pl.DataFrame:
    return q0(a).with_columns(DAY.alias("dt"), pl.col("dateTime").dt.strftime("%H:%M").alias("hm"))


def q11(a: Auction) -> pl.DataFrame:
    new = pl.col("dateTime").diff().over("bidder") > pl.duration(seconds=10)
    session = new.fill_null(value=True).cum_sum().over("bidder").alias("session")
    return (
        a.bids.sort("dateTime")
        .with_columns(session)
        .group_by("bidder", "session")
        .agg(
            pl.len().cast(pl.Int64).alias("bid_count"),
            pl.col("dateTime").min().alias("starttime"),
            (pl.col("dateTime").max() + pl.duration(seconds=10)).alias("endtime"),
        )
        .drop("session")
    )


def q13(a: Auction) -> pl.DataFrame:
    value = (pl.col("auction") % 10_000).cast(pl.String).alias("value")
    return a.bids.select("auction", "bidder", "price", "dateTime", value)


def q14(a: Auction) -> pl.DataFrame:
    hour = pl.col("dateTime").dt.hour()
    part = (
        pl.when(hour.is_between(8, 18))
        .then(pl.lit("dayTime"))
        .when((hour <= 6) | (hour >= 20))
        .then(pl.lit("nightTime"))
        .otherwise(pl.lit("otherTime"))
    )
    thousandths = pl.col("price") * 908
    middle = a.bids.filter((thousandths > 1_000_000_000) & (thousandths < 50_000_000_000))
    return middle.select(
        "auction",
        "bidder",
        _thousandths(thousandths).alias("price"),
        part.alias("bidTimeType"),
        "dateTime",
        "extra",
        pl.col("extra").str.count_matches("c").cast(pl.Int64).alias("c_counts"),
    )


def _counted(a: Auction, *keys: pl.Expr | str, more: tuple[pl.Expr, ...] = ()) -> pl.DataFrame:
    bids = [pl.len(), *(rank.sum() for rank in RANKS)]
    people = [pl.col("bidder").n_unique(), *(pl.col("bidder").filter(rank).n_unique() for rank in RANKS)]
    auctions = [pl.col("auction").n_unique(), *(pl.col("auction").filter(rank).n_unique() for rank in RANKS)]
    counts = [e.cast(pl.Int64).alias(f"n{i}") for i, e in enumerate([*bids, *people, *auctions])]
    return a.bids.group_by(*keys).agg(*more, *counts)


def q15(a: Auction) -> pl.DataFrame:
    return _counted(a, DAY)


def q16(a: Auction) -> pl.DataFrame:
    return _counted(a, "channel", DAY, more=(pl.col("dateTime").dt.strftime("%H:%M").max().alias("minute"),))


def q17(a: Auction) -> pl.DataFrame:
    price = pl.col("price")
    counts = [e.cast(pl.Int64).alias(f"n{i}") for i, e in enumerate([pl.len(), *(rank.sum() for rank in RANKS)])]
    average = (price.sum() // pl.len()).cast(pl.Int64)
    return a.bids.group_by("auction", DAY).agg(
        *counts,
        price.min().alias("least"),
        price.max().alias("most"),
        average.alias("average"),
        price.sum().alias("sum"),
    )


BID = ("auction", "bidder", "price", "channel", "url", "dateTime", "extra")


def q18(a: Auction) -> pl.DataFrame:
    return a.bids.sort("dateTime", "number").unique(["bidder", "auction"], keep="last").select(BID)


def q19(a: Auction) -> pl.DataFrame:
    order = a.bids.sort("price", "number", descending=[True, False])
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("auction").alias("rank_number")
    return order.with_columns(rank).filter(pl.col("rank_number") <= 10).select(*BID, "rank_number")


def q20(a: Auction) -> pl.DataFrame:
    offers = a.auctions.filter(pl.col("category") == 10).select(pl.all().name.prefix("a_"))
    auction = ("itemName", "description", "initialBid", "reserve", "dateTime", "expires", "seller", "category", "extra")
    return a.bids.join(offers, left_on="auction", right_on="a_id").select(*BID, *(f"a_{c}" for c in auction))


def q21(a: Auction) -> pl.DataFrame:
    known = (
        pl.col("channel")
        .str.to_lowercase()
        .replace_strict({"apple": "0", "google": "1", "facebook": "2", "baidu": "3"}, default=None)
    )
    named = pl.col("url").str.extract("(?:&|^)channel_id=([^&]*)", 1)
    channel_id = pl.coalesce(known, named).alias("channel_id")
    return a.bids.select("auction", "bidder", "price", "channel", channel_id).drop_nulls("channel_id")


def q22(a: Auction) -> pl.DataFrame:
    parts = pl.col("url").str.split("/")
    folders = [parts.list.get(i).alias(f"dir{i - 2}") for i in (3, 4, 5)]
    return a.bids.select("auction", "bidder", "price", "channel", *folders)


def q23(a: Auction) -> pl.DataFrame:
    persons = a.persons.select("id", "name", "city", "state")
    offers = a.auctions.select("seller", pl.col("id").alias("own_auction"), "itemName", "category")
    both = a.bids.join(persons, left_on="bidder", right_on="id").join(offers, left_on="bidder", right_on="seller")
    bid = ("auction", "bidder", "price", "dateTime")
    return both.select(*bid, "name", "city", "state", "own_auction", "itemName", "category")


Oracle = Callable[[Auction], pl.DataFrame]
