"""Anomalies of sensors: values that jump, hours that are not as this hour was on other days, and sensors that go silent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import tailrace as tr
from tailrace import col, functions, lit

READING = {"sensor": str, "value": float, "ts": "TIMESTAMP(3)"}
ANOMALY = {"sensor": str, "kind": str, "ts": "TIMESTAMP(3)", "value": float, "expected": float}
TIME = tr.event_time("ts", delay="1m")
"""Readings may come a minute late; what comes later is for the table of dead letters."""
ODD = 6
"""A reading so many standard deviations from the last two hours is an anomaly."""
ODD_HOUR, LEAST = 4, 1.0
"""A mean of an hour so many standard deviations from this hour on other days, and by at least so much."""


def anomalies(readings: tr.Table) -> tr.Table:
    """Give the anomalies of all kinds."""
    return spikes(readings).union(drifts(readings), silences(readings))


def spikes(readings: tr.Table) -> tr.Table:
    """Compare each reading with the two hours before it: a rolling z-score."""
    recent = {"mean": col("value").mean(), "spread": col("value").std(), "n": tr.count()}
    rolling = {name: value.over("sensor", order_by="ts", range="2h") for name, value in recent.items()}
    known = before(readings.with_columns(**rolling), tuple(recent), by="sensor", time="ts")
    return anomaly(known.filter(col("n") >= 12, deviation() > ODD * col("spread")), "spike", "ts")


def drifts(readings: tr.Table) -> tr.Table:
    """Compare the mean of each hour with that of the same hour on the days before: a seasonal baseline."""
    hourly = readings.window(tr.tumble("1h")).group_by("sensor", "window_time").agg(value=col("value").mean())
    hours = hourly.with_columns(hour=functions.hour(col("window_start")))
    same = {"mean": col("value").mean(), "spread": col("value").std(), "n": tr.count()}
    by = ("sensor", "hour")
    rolling = {name: value.over(by, order_by="window_time", rows=6) for name, value in same.items()}
    known = before(hours.with_columns(**rolling), tuple(same), by=by, time="window_time")
    odd = known.filter(col("n") >= 4, deviation() > ODD_HOUR * col("spread"), deviation() > LEAST)
    return anomaly(odd, "drift", "window_time")


@tr.process(result_type={"value": "DOUBLE"})
class Silence:
    """Tells once that a sensor has been silent for so many minutes, with its last value."""

    minutes: int = 20
    last: float = tr.value_state(0.0)
    seen: datetime | None = tr.value_state()

    def on_row(self, row: Any, ctx: tr.Context) -> None:
        """Wait anew, unless it is an older reading that comes late."""
        if self.seen is None or row.ts > self.seen:
            self.last, self.seen = row.value, row.ts
            ctx.set_timer(row.ts + timedelta(minutes=self.minutes))

    def on_timer(self, timer: tr.Timer, ctx: tr.Context) -> Iterator[float]:
        """No reading came."""
        yield self.last


def silences(readings: tr.Table) -> tr.Table:
    """Tell of sensors that do not read any more."""
    silent = readings.process(Silence, by="sensor").with_columns(mean=lit(None).cast("DOUBLE"))
    return anomaly(silent, "silence", "rowtime")


def before(rows: tr.Table, names: tuple[str, ...], *, by: str | tuple[str, ...], time: str) -> tr.Table:
    """Give each row what its predecessor knew: a row says nothing of itself."""
    return rows.with_columns(**{name: col(name).shift().over(by, order_by=time) for name in names})


def deviation() -> tr.Expr:
    """Give how far a value is from what was expected."""
    return functions.abs(col("value") - col("mean"))


def anomaly(found: tr.Table, kind: str, time: str) -> tr.Table:
    """Give what was found as anomalies."""
    return found.select(
        "sensor",
        lit(kind).alias("kind"),
        ts=col(time).cast("TIMESTAMP(3)"),
        value=functions.round(col("value"), 3),
        expected=functions.round(col("mean"), 3),
    )
