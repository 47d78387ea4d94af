"""
Clicks of a shop's visitors, with what is to be found in them: `generate(rows, seed)` gives the same ones each time.

The items of the shop belong together by four. A visit goes round two or three of such four, some visits stray to an item
of others, and clicks come a little out of order. Some visitors have no profile, and some want no recommendations.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

BEGIN = datetime(2026, 1, 1)
SET = 4
"""So many items belong together."""
SECONDS_LATE = 4.0
"""Clicks come up to so long after they were made."""
STEP, HOUR = 300.0, 3600.0
"""A visitor clicks about every five minutes, and comes again after three hours at the earliest."""
STRAYS, REPEATS, GUESTS, UNWILLING = 0.2, 0.3, 0.1, 0.1

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """
    Clicks in the order in which they come, the profiles, and what is true of them.

    `visits` are those that were made, each with its items and its last click; `related` are the items that belong
    together; `wanted` is what is still unseen of the items that a visitor who wants recommendations looked at last.
    """

    clicks: pl.DataFrame
    profiles: pl.DataFrame
    visits: pl.DataFrame
    related: pl.DataFrame
    wanted: pl.DataFrame


def generate(rows: int = 20_000, seed: int = 1) -> History:
    """Make about so many clicks."""
    rng = np.random.default_rng(seed)
    items, visitors = max(rows // 1000, 3) * SET, max(rows // 80, 20)
    planned = plan(rng, max(rows // 3, visitors), visitors, items)
    made = clicks(rng, planned)
    visits = visits_of(made)
    profiles = profiles_of(rng, visitors)
    return History(arrived(rng, made), profiles, visits, related(items), wanted(planned, profiles))


def plan(rng: np.random.Generator, visits: int, visitors: int, items: int) -> pl.DataFrame:
    """Plan visits: who comes when, goes round which four items in which order, and could stray to which other one."""
    number = np.arange(visits)
    start = number // visitors * 3 * HOUR + rng.uniform(0, HOUR / 2, visits)
    first = rng.integers(0, items // SET, visits) * SET
    order = np.argsort(rng.random((visits, SET)))
    count = rng.integers(2, SET, visits)
    return pl.DataFrame(
        {
            "visit": number,
            "user": number % visitors,
            "start": start,
            "count": count,
            "order": pl.Series(first[:, None] + order, dtype=pl.Array(pl.Int64, SET)).arr.to_list(),
            "stray": (first + rng.integers(SET, items, visits)) % items,
        }
    )


def clicks(rng: np.random.Generator, planned: pl.DataFrame) -> pl.DataFrame:
    """Click on the items of each visit, on some a second time, and here and there on one of other items."""
    visits = len(planned)
    again = pl.when(pl.Series(rng.random(visits) < REPEATS)).then(pl.col("order").list.first())
    stray = pl.when(pl.Series(rng.random(visits) < STRAYS)).then("stray")
    seen = pl.col("order").list.head("count")
    path = planned.select("visit", "user", "start", item=pl.concat_list(seen, again, stray)).explode("item")
    kept = path.with_columns(step=pl.int_range(pl.len()).over("visit")).drop_nulls()
    at = pl.col("start") + (pl.col("step") + pl.Series(rng.uniform(0, 0.9, len(kept)))) * STEP
    return kept.select("visit", user=named("user"), item=named("item"), at=at)


def profiles_of(rng: np.random.Generator, visitors: int) -> pl.DataFrame:
    """Give the visitors that are known, with whether they want recommendations."""
    known = np.flatnonzero(rng.random(visitors) >= GUESTS)
    willing = pl.Series(rng.random(len(known)) >= UNWILLING)
    frame = pl.DataFrame({"user": known})
    return frame.select(named("user"), name=pl.format("Visitor {}", "user"), personalised=willing)


def arrived(rng: np.random.Generator, made: pl.DataFrame) -> pl.DataFrame:
    """Give clicks in the order in which they come."""
    delay = pl.Series(rng.uniform(0, SECONDS_LATE, len(made)))
    return made.sort(pl.col("at") + delay).select("user", "item", time_of(pl.col("at")).alias("ts"))


# what is true


def visits_of(made: pl.DataFrame) -> pl.DataFrame:
    """Give the visits as they were made."""
    grouped = made.group_by("visit", maintain_order=True)
    found = grouped.agg(pl.col("user").first(), items=pl.col("item").unique().sort(), last=pl.col("at").max())
    return found.select("user", "items", time_of(pl.col("last")).alias("last"))


def related(items: int) -> pl.DataFrame:
    """Give each item with those that belong to it."""
    number = pl.DataFrame({"item": np.arange(items)})
    pairs = number.join(number, how="cross", suffix="_other").filter(
        pl.col("item") // SET == pl.col("item_other") // SET, pl.col("item") != pl.col("item_other")
    )
    return pairs.select(named("item"), also=named("item_other"))


def wanted(planned: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    """Give what a visitor has not seen yet of the four items that the last visit went round."""
    last = planned.unique("user", keep="last", maintain_order=True)
    unseen = last.select(named("user"), item=pl.col("order").list.slice("count")).explode("item")
    willing = profiles.filter("personalised")
    return unseen.join(willing, "user", "semi", maintain_order="left").select("user", named("item"))


# columns


def named(column: str) -> pl.Expr:
    """Give the names of users or items."""
    return pl.format(column.partition("_")[0] + "-{}", pl.col(column)).alias(column)


def time_of(seconds: pl.Expr) -> pl.Expr:
    """Give seconds since the beginning as times."""
    return (pl.lit(BEGIN) + seconds * timedelta(seconds=1)).cast(pl.Datetime("ms"))
