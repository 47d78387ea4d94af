"""The example of anomaly detection: each kind on a few readings, all of it on planted anomalies, and the same on Kafka."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from anomaly_detection import run
from anomaly_detection.generate import History, generate
from anomaly_detection.pipeline import READING, TIME, anomalies
from anomaly_detection.report import report

import tailrace as tr
from tailrace.testing import Drive

BEGIN = datetime(2026, 1, 1)
Row = dict[str, Any]


def reading(minute: float, value: float, sensor: str = "a") -> Row:
    """Give one reading."""
    return {"sensor": sensor, "value": value, "ts": BEGIN + timedelta(minutes=minute)}


def driven() -> Drive:
    """Drive the pipeline, with a watermark that moves with each row."""
    source = tr.read_kafka("readings", READING, bootstrap_servers="none:1", time=TIME)
    return Drive(anomalies(source), at=datetime(2026, 2, 1, tzinfo=UTC), settings=run.BY_ROW)


def found(readings: list[Row], step: int = 7) -> list[tuple[str, str, float, float | None]]:
    """Give the anomalies of readings that come a few at a time, with a crash and a restart in their midst."""
    drive = driven()
    batches = [readings[i : i + step] for i in range(0, len(readings), step)]
    for i, batch in enumerate(batches):
        if i == len(batches) // 2:
            drive.checkpoint()
        drive.push("readings", batch)
    drive.crash()
    drive.end()
    last = max(r["ts"] for r in readings)
    rows = sorted((r for r in drive.rows() if r["ts"] <= last), key=lambda r: r["ts"])
    return [(r["kind"], f"{r['ts']:%d %H:%M}", r["value"], r["expected"]) for r in rows]


def steady(minutes: Iterable[int], level: float = 20) -> list[Row]:
    """Give readings that go up and down a little."""
    return [reading(m, level + (m // 5 % 2) * 0.5) for m in minutes]


def test_spike() -> None:
    """A reading is compared with those before it: neither with itself, nor with less than twelve."""
    assert found([*steady(range(0, 55, 5)), reading(55, 40), *steady(range(60, 80, 5))]) == []
    assert found([*steady(range(0, 60, 5)), reading(60, 40), *steady(range(65, 80, 5))]) == [
        ("spike", "01 01:00", 40, 20.25)
    ]


def test_drift() -> None:
    """The same hour of four days before is what an hour is compared with, whatever the hours beside it are."""
    day, days = 24 * 60, 6
    usual = [r for d in range(days) for h in (8, 9) for r in steady(range(d * day + h * 60, d * day + h * 60 + 60, 20))]
    for number, row in enumerate(usual):
        row["value"] += number // 6 % 2 * 0.1 + (10 if row["ts"].hour == 9 else 0)
        row["value"] += 3 if (row["ts"].day, row["ts"].hour) == (6, 9) else 0
    drifts = [f for f in found([*usual, reading(5 * day + 10 * 60 + 5, 30)]) if f[0] == "drift"]

    assert [(kind, at) for kind, at, _, _ in drifts] == [("drift", "06 09:59")]
    assert drifts[0][2] - (drifts[0][3] or 0) == pytest.approx(3, abs=0.1)


def test_silence() -> None:
    """A sensor is silent when twenty minutes have passed, told once; an old reading that comes late ends no silence."""
    begin = [reading(0, 20), reading(5, 21), reading(5, 30, "b")]
    others = [reading(m, 30, "b") for m in range(10, 60, 5)]
    back = [reading(45, 22), reading(60, 30, "b")]

    assert found([*begin, *others, *back]) == [("silence", "01 00:25", 21, None)]
    late = [*begin, *others[:2], reading(3, 19), *others[2:], *back]
    assert found(late) == [("silence", "01 00:25", 21, None)]


def test_late_readings() -> None:
    """A reading behind later ones of its sensor that are past is refused, and no other."""
    drive = driven()
    drive.push("readings", [reading(m, 20) for m in (0, 5, 10, 15)])
    drive.push("readings", [reading(14.5, 20), reading(6, 20), reading(20, 20)])

    assert {f"{r['ts']:%H:%M}" for r in drive.late} == {"00:06"}


@pytest.fixture(scope="module")
def history() -> History:
    """Give readings with planted anomalies."""
    return generate(4, seed=3)


def test_generation_is_a_function_of_its_seed(history: History) -> None:
    """The same seed gives the same rows, another one others; each kind is planted twice for each sensor."""
    again = generate(4, seed=3)

    assert again.readings.equals(history.readings)
    assert again.truth.equals(history.truth)
    assert not generate(4, seed=4).readings.equals(history.readings)
    assert set(history.truth.group_by("kind").len().rows()) == {("spike", 8), ("drift", 8), ("silence", 8)}
    assert len(history.late) == 40


def test_planted_anomalies_are_found(history: History, tmp_path: Path) -> None:
    """All of them, with hardly a false one; and exactly those readings are late that are."""
    tables = run.in_files(tmp_path)
    got, late = run.run(tables, history)
    rows = {r["kind"]: r for r in report(got, history.truth, history.end).to_dicts()}

    assert late.select(history.late.columns).equals(history.late)
    assert (rows["spike"]["recall"], rows["silence"]["recall"]) == (1, 1)
    assert rows["drift"]["recall"] >= 0.8  # one in the hours of an earlier one looks usual
    assert rows["silence"]["precision"] == 1
    assert rows["spike"]["precision"] == 1
    assert rows["drift"]["precision"] > 0.9
    assert (rows["spike"]["delay_minutes"], rows["silence"]["delay_minutes"]) == (0, 20)


def test_batches_change_nothing(history: History) -> None:
    """What is found, and what is late, does not depend on how the readings were read."""
    ways = []
    for size in (997, len(history.readings)):
        drive = driven()
        for part in history.readings.iter_slices(size):
            drive.push("readings", part)
        drive.end()
        ways.append((sorted(map(str, drive.rows())), sorted(map(str, drive.late))))

    assert ways[0] == ways[1]
    assert len(ways[0][1]) >= len(history.late)


@pytest.mark.integration
def test_on_kafka(history: History, kafka: str, tmp_path: Path) -> None:
    """Topics give what files give, each row once."""
    got, late = run.run(run.on_kafka(kafka, uuid.uuid4().hex[:8]), history)
    want, want_late = run.run(run.in_files(tmp_path), history)
    order = ["kind", "sensor", "ts"]

    assert got.sort(order).equals(want.sort(order))
    assert late.equals(want_late)
    assert len(got) > 24


def test_report() -> None:
    """What was found, what not, and what is none."""
    hour = timedelta(hours=1)
    planted = [("a", "spike"), ("b", "spike"), ("c", "drift")]
    truth = pl.DataFrame([(*p, BEGIN, BEGIN + hour) for p in planted], ["sensor", "kind", "begin", "end"], orient="row")
    alerts = [
        ("a", "spike", BEGIN + hour / 2),
        ("z", "spike", BEGIN),
        ("c", "spike", BEGIN),
        ("a", "spike", BEGIN + 9 * hour),
    ]
    made = report(pl.DataFrame(alerts, ["sensor", "kind", "ts"], orient="row"), truth, BEGIN + hour)

    assert made.rows() == [("drift", 1, 0, 0, 0.0, None, None), ("spike", 2, 1, 3, 0.5, 0.667, 30)]
