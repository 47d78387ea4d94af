"""
A model that learns each sensor on the way: `python -m anomaly_detection.online`.

Nothing is trained before. A linear regression of the value by the hour is kept for each sensor, asked before each reading
and taught behind it; what is far from its word is told, and not learnt from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from math import cos, pi, sin
from typing import Any

import polars as pl
from anomaly_detection.generate import generate
from anomaly_detection.pipeline import TIME
from anomaly_detection.report import report, show
from river import linear_model, optim
from river.utils import VectorDict

import tailrace as tr


class Forecast(linear_model.LinearRegression):  # type: ignore[misc]  # River has no types
    """A regression that can be written as plain values for a checkpoint, and made of them again."""

    def __init__(self) -> None:
        super().__init__(optim.SGD(0.02), intercept_lr=0.02)

    def save(self) -> dict[str, Any]:
        """Give what has been learnt."""
        return {"weights": self.weights, "intercept": self.intercept}

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> Forecast:
        """Go on with what has been learnt."""
        made = cls()
        made._weights, made.intercept = VectorDict(kept["weights"]), kept["intercept"]
        return made


@tr.process(result_type={"kind": "STRING", "value": "DOUBLE", "expected": "DOUBLE"})
class Learned:
    """Tells of readings that are further from the forecast than six times what is usual."""

    far: float = 6.0
    warm_up: int = 500
    seen: int = tr.value_state(0)
    usual: float = tr.value_state(1.0)
    forecast: Forecast = tr.value_state(Forecast, save=Forecast.save, load=Forecast.load)

    def on_row(self, row: Any, ctx: tr.Context) -> Iterator[tuple[str, float, float]]:
        """Ask, compare, learn."""
        hour = of_day(row.ts)
        expected = self.forecast.predict_one(hour)
        off = abs(row.value - expected)
        if self.seen >= self.warm_up and off > self.far * self.usual:
            yield "spike", row.value, expected
            return
        self.forecast.learn_one(hour, row.value)
        self.usual += (off - self.usual) * 0.02
        self.seen += 1


def of_day(time: datetime) -> dict[str, float]:
    """Give the time of day as a place on a circle."""
    turn = (time.hour + time.minute / 60) / 24 * 2 * pi
    return {"sin": sin(turn), "cos": cos(turn)}


def learned(readings: tr.Table) -> tr.Table:
    """Give the readings that are not as their sensor has taught."""
    return readings.process(Learned, by="sensor").rename({"rowtime": "ts"})


def main() -> None:
    """Learn from generated readings, and tell what was found of the jumps that were planted."""
    history = generate()
    found = learned(tr.from_polars(history.readings, name="readings", time=TIME)).collect()
    show(report(found, history.truth, history.end).filter(pl.col("kind") == "spike"))


if __name__ == "__main__":
    main()
