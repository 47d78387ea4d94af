"""
Readings of sensors over ten days, with planted anomalies beside them: `generate(sensors, seed)` gives the same ones each time.

A sensor reads every five minutes a value that goes up and down with the hour, a little differently each day. Readings come
up to twenty seconds after they were made, and now and then one or two are missing: neither is an anomaly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

BEGIN = datetime(2026, 1, 1)
DAYS, PER_DAY = 10, 288
COUNT = DAYS * PER_DAY
MINUTES = 5
FIRST = 6 * PER_DAY
"""Anomalies begin on the seventh day, when there is something to compare with."""
SPIKE, DRIFT, NOISE = 8.0, 2.5, 0.5
LATE_SECONDS = 900
"""What comes so late comes behind later readings of its sensor that are past."""
KINDS = ("spike", "drift", "silence")
AFTERMATH = {"spike": 5, "drift": 60, "silence": 0}
"""So many minutes after its end an anomaly still explains an alert: the hour that it is in has to end."""


@dataclass(frozen=True)
class History:
    """Readings in the order in which they come, what was planted (sensor, kind, begin, end), and what comes too late."""

    readings: pl.DataFrame
    truth: pl.DataFrame
    late: pl.DataFrame

    @property
    def end(self) -> datetime:
        """The time of the last reading."""
        last = self.readings["ts"].max()
        assert isinstance(last, datetime)
        return last


def generate(sensors: int = 20, seed: int = 1) -> History:
    """Make ten days of readings, with two anomalies of each kind and ten late readings for each sensor."""
    rng = np.random.default_rng(seed)
    truth = planted(rng, sensors)
    made = missing(rng, with_anomalies(readings(rng, sensors), truth))
    arrived = made.with_columns(delay=pl.Series(rng.uniform(0, 20, len(made)), dtype=pl.Float64))
    chosen = pl.Series(rng.choice(len(made), 10 * sensors, replace=False))
    late = pl.int_range(pl.len()).is_in(chosen.implode())
    delayed = arrived.with_columns(
        delay=pl.when(late).then(pl.col("delay") + LATE_SECONDS).otherwise("delay"), late=late
    )
    order = pl.col("number") * MINUTES * 60 + pl.col("delay")
    columns = ("sensor", "value", "ts")
    return History(
        delayed.sort(order, "sensor").select(columns),
        truth.select("sensor", "kind", begin=time_of("first"), end=time_of(pl.col("last") + after())),
        delayed.filter("late").sort("sensor", "ts").select(columns),
    )


def readings(rng: np.random.Generator, sensors: int) -> pl.DataFrame:
    """Give the readings of sensors that do as they always do."""
    sensor, number = np.repeat(np.arange(sensors), COUNT), np.tile(np.arange(COUNT), sensors)
    level, swing = rng.uniform(15, 25, sensors)[sensor], rng.uniform(2, 4, sensors)[sensor]
    of_day = rng.normal(0, 0.15, (sensors, DAYS))[sensor, number // PER_DAY]
    value = level + swing * np.sin(2 * np.pi * (number / PER_DAY - 0.375)) + of_day + rng.normal(0, NOISE, len(sensor))
    made = pl.DataFrame({"number": number, "value": value, "sensor": sensor})
    return made.with_columns(pl.format("sensor-{}", "sensor").alias("sensor"), ts=time_of("number"))


def planted(rng: np.random.Generator, sensors: int) -> pl.DataFrame:
    """Choose for each sensor a part of the last four days for each anomaly, and a place in it."""
    parts = (COUNT - FIRST) // (2 * len(KINDS))
    sensor = np.repeat(np.arange(sensors), 2 * len(KINDS))
    part = rng.permuted(np.tile(np.arange(2 * len(KINDS)), (sensors, 1)), axis=1).ravel()
    first = FIRST + part * parts + rng.integers(30, parts - 70, len(sensor))
    made = pl.DataFrame({"sensor": sensor, "kind": list(KINDS) * (2 * sensors), "first": first})
    length = pl.col("kind").replace_strict({"spike": 0, "drift": 48, "silence": 12})
    return made.with_columns(pl.format("sensor-{}", "sensor").alias("sensor"), last=pl.col("first") + length)


def with_anomalies(made: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Let values jump once, or leave slowly and come back, or no readings come at all."""
    at = made.sort("number").join_asof(
        truth.sort("first"), left_on="number", right_on="first", by="sensor", check_sortedness=False
    )
    within = pl.col("number").is_between("first", "last").fill_null(value=False)
    since = (pl.col("number") - pl.col("first")) / 24
    ramp = DRIFT * pl.min_horizontal(since, pl.lit(1.0))
    off = pl.when(pl.col("kind") == "spike").then(SPIKE).when(pl.col("kind") == "drift").then(ramp).otherwise(0.0)
    moved = at.with_columns(value=(pl.col("value") + pl.when(within).then(off).otherwise(0.0)).round(3))
    silent = within & (pl.col("kind") == "silence").fill_null(value=False) & (pl.col("number") > pl.col("first"))
    return moved.filter(~silent).select("sensor", "number", "value", "ts").sort("sensor", "number")


def missing(rng: np.random.Generator, made: pl.DataFrame) -> pl.DataFrame:
    """Leave out one reading in two hundred."""
    return made.filter(pl.Series(rng.random(len(made)) >= 0.005))


def after() -> pl.Expr:
    """Give the numbers of readings that an anomaly still explains behind it."""
    return pl.col("kind").replace_strict(AFTERMATH) // MINUTES


def time_of(number: str | pl.Expr) -> pl.Expr:
    """Give the time of the reading of a number."""
    counted = pl.col(number) if isinstance(number, str) else number
    return (pl.lit(BEGIN) + counted * timedelta(minutes=MINUTES)).cast(pl.Datetime("ms"))
