"""Learning on the stream: what a model of River has learnt is state like any other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from anomaly_detection.generate import generate
from anomaly_detection.online import Forecast, learned, of_day
from anomaly_detection.pipeline import READING, TIME
from anomaly_detection.report import report

import tailrace as tr
from tailrace.testing import Drive

BEGIN = datetime(2026, 1, 1)


def test_planted_jumps_are_found() -> None:
    """All of them, without a false one, by models that knew nothing in the beginning."""
    history = generate(3, seed=7)
    found = learned(tr.from_polars(history.readings, name="readings", time=TIME)).collect()
    (spikes,) = report(found, history.truth, history.end).filter(pl.col("kind") == "spike").to_dicts()

    assert (spikes["planted"], spikes["recall"], spikes["precision"]) == (6, 1, 1)


def rows_of(readings: list[dict[str, Any]], *, crash: bool) -> list[dict[str, Any]]:
    """Give what is told of readings in batches, with a crash in their midst or without."""
    source = tr.read_kafka("readings", READING, bootstrap_servers="none:1", time=TIME)
    drive = Drive(learned(source), at=datetime(2026, 2, 1, tzinfo=UTC))
    for i in range(0, len(readings), 100):
        drive.push("readings", readings[i : i + 100])
        if crash and i == 500:
            drive.checkpoint()
        if crash and i == 700:
            drive.crash()
    drive.end()
    return drive.rows()


def test_what_was_learnt_survives_a_crash() -> None:
    """The forecast is the same to the last digit."""
    readings = [
        {"sensor": "a", "value": 20.0 + i % 2 + (9 if i > 900 else 0), "ts": BEGIN + timedelta(minutes=5 * i)}
        for i in range(905)
    ]
    told = rows_of(readings, crash=True)

    assert told == rows_of(readings, crash=False)
    assert len(told) == 4
    assert [row["expected"] for row in told] == pytest.approx([20] * 4, abs=1)


def test_a_model_is_written_as_plain_values() -> None:
    """It goes on as if it had never been written."""
    one = Forecast()
    for hour in range(48):
        one.learn_one(of_day(BEGIN + timedelta(hours=hour)), float(hour % 24))
    kept = one.save()
    other = Forecast.load(kept)
    for model in (one, other):
        model.learn_one(of_day(BEGIN), 3.0)

    assert set(kept) == {"weights", "intercept"}
    assert all(isinstance(weight, float) for weight in kept["weights"].values())
    assert other.predict_one(of_day(BEGIN)) == one.predict_one(of_day(BEGIN))
