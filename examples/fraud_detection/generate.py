"""
Card payments of two days, with planted fraud beside them: `generate(rows, seed)` gives the same ones each time.

Most are honest, and some of those are odd too: cards that fly to another continent in the time that a flight takes, that
pay five times within a minute, that buy something dear, or online at night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

BEGIN = datetime(2026, 1, 1)
DAYS = 2
PAYMENTS_PER_CARD = 20
LATE_SECONDS = 4.0
"""Payments come up to so long after they were made."""
CITIES = np.array(
    [(52.4, 4.9), (48.9, 2.4), (51.5, -0.1), (40.4, -3.7), (40.7, -74.0), (34.1, -118.2), (41.9, -87.6), (43.7, -79.4)]
)
"""Latitude and longitude: four cities on each side of the Atlantic."""
CATEGORIES = ("groceries", "fuel", "restaurant", "online")
ONLINE = 3
HOUR, MINUTE = 3600.0, 60.0

Numbers = NDArray[np.floating[Any]]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """Payments in the order in which they come, and the incidents that were planted: card, reason, begin and end."""

    payments: pl.DataFrame
    truth: pl.DataFrame


@dataclass(frozen=True)
class Cards:
    """Where the holder of each card lives, and what the holder mostly spends."""

    home: Places
    usual: Numbers


def generate(rows: int = 20_000, seed: int = 1) -> History:
    """Make about so many payments, with one incident of each kind for every thousand of them."""
    rng = np.random.default_rng(seed)
    count = max(rows // PAYMENTS_PER_CARD, 40)
    cards = Cards(rng.integers(0, len(CITIES), count), np.exp(rng.normal(3.3, 0.4, count)))
    each = max(rows // 1000, 3)
    flown, rushed, *victims = rng.permutation(count)[: 6 * each].reshape(6, each)
    honest = [with_flights(rng, everyday(rng, cards, rows), cards, flown), rush(rng, cards, rushed)]
    planted = dict(zip(INCIDENTS, victims, strict=True))
    frauds = {reason: INCIDENTS[reason](rng, cards, chosen) for reason, chosen in planted.items()}
    truth = pl.concat([incidents(reason, frauds[reason]) for reason in INCIDENTS]).sort("begin", "card")
    return History(arrived(rng, pl.concat([*honest, *frauds.values()], how="diagonal")), truth)


# honest payments


def everyday(rng: np.random.Generator, cards: Cards, rows: int) -> pl.DataFrame:
    """Payments at home, mostly by day; a few are dear, a few tiny."""
    card = rng.integers(0, len(cards.home), rows)
    by_day = np.clip(rng.normal(14, 3.5, rows), 0, 23.99)
    hour = np.where(rng.random(rows) < 0.05, rng.uniform(0, 6, rows), by_day)
    at = (rng.integers(0, DAYS, rows) * 24 + hour) * HOUR
    amount = cards.usual[card] * np.exp(rng.normal(0, 0.5, rows))
    amount *= np.where(rng.random(rows) < 0.02, rng.uniform(3, 8, rows), 1)
    amount = np.where(rng.random(rows) < 0.02, rng.uniform(0.5, 2, rows), amount)
    return made(rng, card, cards.home[card], at, amount, rng.integers(0, len(CATEGORIES), rows))


def with_flights(rng: np.random.Generator, payments: pl.DataFrame, cards: Cards, flown: Places) -> pl.DataFrame:
    """Let some holders fly over the Atlantic: half a day without payments, then all of them on the other side."""
    start = rng.uniform(20, 30, len(flown)) * HOUR
    there = CITIES[(cards.home[flown] + 4) % len(CITIES)]
    flights = pl.DataFrame({"card": flown, "start": start, "there_lat": there[:, 0], "there_lon": there[:, 1]})
    joined = payments.join(flights, "card", "left", maintain_order="left")
    since = pl.col("at") - pl.col("start")
    landed = since >= 12 * HOUR
    return joined.filter(~since.is_between(0, 12 * HOUR).fill_null(value=False)).select(
        "card",
        "at",
        "amount",
        "category",
        pl.when(landed).then("there_lat").otherwise("lat").alias("lat"),
        pl.when(landed).then("there_lon").otherwise("lon").alias("lon"),
    )


def rush(rng: np.random.Generator, cards: Cards, chosen: Places) -> pl.DataFrame:
    """Five payments within a minute, as on a fair: as many as the rule lets pass."""
    card, number = repeated(chosen, 5)
    at = np.repeat(rng.uniform(10, 20, len(chosen)) * HOUR, 5) + number * 12
    return made(rng, card, cards.home[card], at, cards.usual[card] / 3, np.zeros_like(card))


# fraud


def velocity(rng: np.random.Generator, cards: Cards, chosen: Places) -> pl.DataFrame:
    """A stolen card pays twelve times within a minute."""
    card, number = repeated(chosen, 12)
    at = np.repeat(rng.uniform(8, 44, len(chosen)) * HOUR, 12) + number * rng.uniform(3, 4.5, len(card))
    return made(
        rng, card, cards.home[card], at, cards.usual[card] * rng.uniform(0.5, 1.5, len(card)), ONLINE + 0 * card
    )


def travel(rng: np.random.Generator, cards: Cards, chosen: Places) -> pl.DataFrame:
    """The holder pays at home, and a copy of the card pays beyond the Atlantic within half an hour."""
    card, number = repeated(chosen, 2)
    at = np.repeat(rng.uniform(8, 40, len(chosen)) * HOUR, 2) + number * rng.uniform(10, 30, len(card)) * MINUTE
    where = (cards.home[card] + 4 * number) % len(CITIES)
    return made(rng, card, where, at, cards.usual[card], np.zeros_like(card)).with_columns(
        honest=pl.Series(number == 0)
    )


def probing(rng: np.random.Generator, cards: Cards, chosen: Places) -> pl.DataFrame:
    """Four payments of next to nothing show that a card works; then comes a large one."""
    card, number = repeated(chosen, 5)
    at = np.repeat(rng.uniform(8, 44, len(chosen)) * HOUR, 5) + number * rng.uniform(20, 40, len(card))
    amount = np.where(number == 4, rng.uniform(300, 900, len(card)), rng.uniform(0.5, 2, len(card)))
    return made(rng, card, cards.home[card], at, amount, ONLINE + 0 * card)


def takeover(rng: np.random.Generator, cards: Cards, chosen: Places) -> pl.DataFrame:
    """An account is taken over: at night, online, for much more than the holder spends. No single rule tells."""
    card, number = repeated(chosen, 3)
    at = np.repeat(rng.uniform(25, 29, len(chosen)) * HOUR, 3) + number * rng.uniform(3, 15, len(card)) * MINUTE
    return made(rng, card, cards.home[card], at, cards.usual[card] * rng.uniform(4, 12, len(card)), ONLINE + 0 * card)


INCIDENTS = {"velocity": velocity, "travel": travel, "probing": probing, "model": takeover}
"""What each reason for an alert is planted by."""
AFTERMATH = {"velocity": 1, "travel": 12, "probing": 1, "model": 1}
"""So many hours after its first payment an incident still explains an alert: who was abroad is home again too soon."""


# frames


def repeated(chosen: Places, times: int) -> tuple[Places, Places]:
    """Give each card so many times, with the number of each time."""
    return np.repeat(chosen, times), np.tile(np.arange(times), len(chosen))


def made(
    rng: np.random.Generator, card: Places, city: Places, at: Numbers, amount: Numbers, category: Places
) -> pl.DataFrame:
    """Put columns together; payments are made within some kilometres of the middle of their city."""
    place = CITIES[city] + rng.normal(0, 0.04, (len(card), 2))
    return pl.DataFrame(
        {"card": card, "at": at, "amount": amount, "category": category, "lat": place[:, 0], "lon": place[:, 1]}
    )


def incidents(reason: str, payments: pl.DataFrame) -> pl.DataFrame:
    """Tell when each incident began, and until when an alert is due to it."""
    planted = payments.filter(~pl.col("honest")) if "honest" in payments.columns else payments
    begin = planted.group_by("card").agg(pl.col("at").min())
    end = pl.col("at") + AFTERMATH[reason] * HOUR
    return begin.select(card=named("card"), reason=pl.lit(reason), begin=time_of(pl.col("at")), end=time_of(end))


def arrived(rng: np.random.Generator, payments: pl.DataFrame) -> pl.DataFrame:
    """Give payments in the order in which they come, numbered by it."""
    delay = pl.Series(rng.uniform(0, LATE_SECONDS, len(payments)))
    return (
        payments.sort(pl.col("at") + delay)
        .with_row_index("payment")
        .select(
            pl.col("payment").cast(pl.Int64),
            named("card"),
            pl.col("amount").round(2).cast(pl.Decimal(10, 2)),
            pl.col("category").replace_strict(range(len(CATEGORIES)), CATEGORIES),
            pl.col("lat", "lon").round(4),
            time_of(pl.col("at")).alias("ts"),
        )
    )


def named(column: str) -> pl.Expr:
    """Give the names of cards."""
    return pl.format("card-{}", pl.col(column))


def time_of(seconds: pl.Expr) -> pl.Expr:
    """Give seconds since the beginning as times."""
    return (pl.lit(BEGIN) + seconds * timedelta(seconds=1)).cast(pl.Datetime("ms"))
