"""
Changes of the stock of three warehouses, and prices, with what is true of them: `generate(rows, seed)` gives the same each time.

The changes are those of a database's table, in Debezium's envelopes. Units are sold until a delivery comes; in some places
it does not come in time, and in some of those never. Some goods are taken off the list, and one has no price.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WAREHOUSES = ("berlin", "lyon", "porto")
STEPS = 60
"""So many changes each stock has, one in ten minutes."""
SHORT, NEVER_ENDS, DELISTED = 0.3, 0.25, 0.05
PRICES = 8
"""So many prices each article has, one after the other."""
SECONDS_LATE = 4.0
"""A change comes up to so long after it was made."""
MINUTE = 60.0

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """
    Changes as lines of Debezium, with the article they are of, and prices, each in the order in which it comes.

    `alerts`, `on_hand` and `value` are what must be found: by the plan of shortages, and by the stock at the end.
    """

    changes: pl.DataFrame
    prices: pl.DataFrame
    alerts: pl.DataFrame
    on_hand: pl.DataFrame
    value: pl.DataFrame


def generate(rows: int = 20_000, seed: int = 1) -> History:
    """Make about so many changes."""
    rng = np.random.default_rng(seed)
    articles = max(rows // (len(WAREHOUSES) * STEPS), 8)
    plan = planned(rng, articles)
    made = stock(rng, plan)
    prices = priced(rng, articles)
    last = made.filter(pl.col("step") == STEPS - 1)
    return History(
        lines(rng, made), prices.sort("since", "sku"), alerts(plan, made), on_hand(last), value(last, prices)
    )


def planned(rng: np.random.Generator, articles: int) -> pl.DataFrame:
    """Plan each stock: the least there should be, when it falls short and until when, and whether it is delisted."""
    places = articles * len(WAREHOUSES)
    begin = rng.integers(5, STEPS - 15, places)
    delisted = rng.random(places) < DELISTED
    last = np.where(delisted, STEPS - 1, STEPS)
    end = np.where(rng.random(places) < NEVER_ENDS, last, begin + rng.integers(2, 9, places))
    return pl.DataFrame(
        {
            "sku": np.repeat(np.arange(articles), len(WAREHOUSES)),
            "warehouse": WAREHOUSES * articles,
            "minimum": rng.integers(10, 30, places),
            "short": rng.random(places) < SHORT,
            "begin": begin,
            "end": end,
            "delisted": delisted,
        }
    ).with_columns(sku=pl.format("sku-{}", "sku"))


def stock(rng: np.random.Generator, plan: pl.DataFrame) -> pl.DataFrame:
    """Make the steps of each stock: units between the least and sixty more, and fewer where it falls short."""
    shape = (len(plan), STEPS)
    step = np.tile(np.arange(STEPS), (len(plan), 1))
    spare = (60 - np.cumsum(rng.integers(1, 6, shape), axis=1)) % 61
    begin, end, short = (plan[name].to_numpy()[:, None] for name in ("begin", "end", "short"))
    missing = 1 + 2 * (step - begin)
    above = np.where(short & (step >= begin) & (step < end), -missing, spare)
    units = np.maximum(plan["minimum"].to_numpy()[:, None] + above, 0)
    seconds = (step * 10 + rng.uniform(0, 9, shape)) * MINUTE
    columns = {"step": step, "units": units, "seconds": seconds}
    long = pl.DataFrame({name: column.ravel() for name, column in columns.items()})
    repeated = plan.select(pl.all().repeat_by(STEPS).explode())
    gone = pl.col("delisted") & (pl.col("step") == STEPS - 1)
    return pl.concat([repeated, long], how="horizontal").with_columns(time_of("seconds").alias("at"), gone=gone)


def priced(rng: np.random.Generator, articles: int) -> pl.DataFrame:
    """Give each article but the first one a price from the beginning on, and other ones later."""
    hours = np.sort(rng.uniform(0, STEPS / 6, (articles, PRICES)), axis=1)
    hours[:, 0] = -1
    cents = rng.integers(100, 10_000, (articles, PRICES))
    frame = pl.DataFrame(
        {"sku": np.repeat(np.arange(articles), PRICES), "cents": cents.ravel(), "seconds": hours.ravel() * 60 * MINUTE}
    )
    price = (pl.col("cents").cast(pl.Decimal(12, 2)) / 100).cast(pl.Decimal(10, 2))
    return frame.filter(pl.col("sku") > 0).select(sku=pl.format("sku-{}", "sku"), price=price, since=time_of("seconds"))


def lines(rng: np.random.Generator, made: pl.DataFrame) -> pl.DataFrame:
    """Write changes as Debezium does: the row before, the row after, what was done, and when."""
    row = pl.struct("sku", "warehouse", "units", "minimum")
    before = row.shift().over("sku", "warehouse", order_by="step")
    first = pl.col("step") == 0
    op = pl.when(first).then(pl.lit("r")).when("gone").then(pl.lit("d")).otherwise(pl.lit("u"))
    envelope = pl.struct(
        pl.when(~first).then(before).alias("before"),
        pl.when(~pl.col("gone")).then(row).alias("after"),
        op.alias("op"),
        pl.col("at").dt.epoch("ms").alias("ts_ms"),
    )
    written = made.with_columns(line=envelope.struct.json_encode())
    return written.sort(pl.col("seconds") + pl.Series(rng.uniform(0, SECONDS_LATE, len(made)))).select("sku", "line")


# what is true


def alerts(plan: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """Give the begin of each shortage, and its end if it has one."""
    short = plan.filter("short")
    planned = pl.concat(
        [
            short.select("sku", "warehouse", state=pl.lit("low"), step="begin"),
            short.filter(pl.col("end") < STEPS).select("sku", "warehouse", state=pl.lit("over"), step="end"),
        ]
    )
    return planned.join(made, ["sku", "warehouse", "step"]).select("sku", "warehouse", "state", "at")


def on_hand(last: pl.DataFrame) -> pl.DataFrame:
    """Count the units of each article that are there at the end."""
    there = last.filter(~pl.col("gone"))
    return there.group_by("sku").agg(units=pl.col("units").sum(), warehouses=pl.len().cast(pl.Int64))


def value(last: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Value each warehouse at the end: each stock by the price that held when it last changed."""
    units = pl.when(~pl.col("gone")).then("units").otherwise(0)
    stocks = last.with_columns(units=units).sort("at")
    valued = stocks.join_asof(prices.sort("since"), left_on="at", right_on="since", by="sku", check_sortedness=False)
    return valued.group_by("warehouse").agg(
        units=pl.col("units").sum(),
        unpriced=pl.col("units").filter(pl.col("price").is_null()).sum(),
        value=(pl.col("units").cast(pl.Decimal(19, 0)) * pl.col("price")).sum().cast(pl.Decimal(38, 2)),
        at=pl.col("at").max(),
    )


def time_of(seconds: str) -> pl.Expr:
    """Give seconds since the beginning as times."""
    return (pl.lit(BEGIN) + pl.col(seconds) * timedelta(seconds=1)).cast(pl.Datetime("ms", "UTC"))
