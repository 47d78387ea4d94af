"""The example of fraud detection: each rule on a few payments, all of it on planted fraud, and the same on Kafka."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kafka_kit
import numpy as np
import polars as pl
import pytest
from fraud_detection import model, run
from fraud_detection.features import FEATURES, PAYMENT, TIME, features
from fraud_detection.generate import History, generate
from fraud_detection.pipeline import alerts
from fraud_detection.report import report
from numpy.typing import NDArray

import tailrace as tr
from tailrace.testing import Drive

EXAMPLES = Path(run.__file__).parents[1]
BEGIN = datetime(2026, 1, 1, 12)
AMSTERDAM, CHICAGO = (52.4, 4.9), (41.9, -87.6)


def suspicious(rows: model.Matrix) -> NDArray[np.float32]:
    """Stand in for a model: sure of payments of more than three times the usual."""
    return (rows[:, FEATURES.index("ratio")] > 3).astype(np.float32)


def payment(number: int, second: float, amount: str = "20", place: tuple[float, float] = AMSTERDAM) -> dict[str, Any]:
    """Give one payment."""
    at = BEGIN + timedelta(seconds=second)
    where = dict(zip(("lat", "lon"), place, strict=True))
    return {"payment": number, "card": "a", "amount": amount, "category": "fuel", "ts": at, **where}


def driven() -> Drive:
    """Drive the pipeline."""
    source = tr.read_kafka("payments", PAYMENT, bootstrap_servers="none:1", time=TIME)
    return Drive(alerts(source, suspicious), at=datetime(2026, 1, 2, tzinfo=UTC))


def found(payments: list[dict[str, Any]], step: int = 3) -> list[Mapping[str, Any]]:
    """Give the alerts on payments that come a few at a time, with a crash and a restart in the midst."""
    drive = driven()
    batches = [payments[i : i + step] for i in range(0, len(payments), step)]
    for i, batch in enumerate(batches):
        if i == len(batches) // 2:
            drive.checkpoint()
        drive.push("payments", batch)
    drive.crash()
    drive.end()
    assert drive.refused == []
    return [{k: row[k] for k in ("reason", "payment", "detail")} for row in drive.rows()]


def test_velocity() -> None:
    """The sixth payment within a minute raises the alert; a seventh none, nor do five."""
    rush = [payment(i, 5 * i) for i in range(7)]
    slow = [payment(100 + i, 1000 + 13 * i) for i in range(10)]

    assert found(rush + slow) == [{"reason": "velocity", "payment": 5, "detail": "6 payments within a minute"}]


def test_travel() -> None:
    """Chicago is seven hours away at the speed of a plane."""
    hour = 3600
    trip = [payment(1, 0), payment(2, hour, place=CHICAGO), payment(3, 9 * hour), payment(4, 10 * hour)]

    assert found(trip) == [{"reason": "travel", "payment": 2, "detail": "6603 km from the payment before"}]


def test_distance() -> None:
    """A quarter of the equator and half of a meridian are as long as they are, and nothing is there and back."""
    places = [(0.0, 0.0), (0.0, 90.0), (90.0, 0.0), (-90.0, 0.0), (-90.0, 0.0)]
    made = pl.DataFrame([payment(i, i, place=place) for i, place in enumerate(places)])
    rows = features(tr.from_polars(made.cast({"amount": pl.Decimal(10, 2)}), name="p", time=TIME)).collect()

    assert rows["km"].to_list() == pytest.approx([0, 10007.5, 10007.5, 20015.1, 0], abs=0.1)


def test_probing() -> None:
    """Three payments of next to nothing before a large one, in the order of time and not of arrival."""
    probes = [payment(1, 0, "0.99"), payment(3, 40, "1.50"), payment(2, 37, "0.50"), payment(4, 70, "1.00")]
    alert = {"reason": "probing", "payment": 5, "detail": "4 probes, then 250.00"}

    assert alert in found([*probes, payment(5, 100, "250")])
    assert found([*probes, payment(5, 100, "2.50")]) == []
    assert alert not in found([*probes[:2], payment(5, 100, "250")])


def test_score() -> None:
    """The model sees what the card did before, and its word counts from its threshold on."""
    usual = [payment(i, 100 * i, "20") for i in range(5)]

    assert found([*usual, payment(9, 600, "61")]) == [{"reason": "model", "payment": 9, "detail": "score 1.0"}]
    assert found([*usual, payment(9, 600, "59")]) == []


def test_late_payments_are_told() -> None:
    """A payment that comes more than five seconds behind the others is refused, once for each rule that looks back."""
    drive = driven()
    drive.push("payments", [payment(1, 0), payment(2, 60)])
    drive.push("payments", [payment(3, 56)])
    drive.push("payments", [payment(4, 40)])
    drive.end()

    assert {row["payment"] for row in drive.late} == {4}


@pytest.fixture(scope="module")
def history() -> History:
    """Give payments with planted fraud."""
    return generate(6000, seed=5)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of the model."""
    return tmp_path_factory.mktemp("model") / "fraud.onnx"


@pytest.fixture(scope="module")
def exported(model_file: Path) -> tuple[model.Model, model.Model]:
    """Give one model that was trained on other payments, run in both ways."""
    classifier = model.train(generate(6000, seed=6))
    model.export(classifier, model_file)
    return model.by_sklearn(classifier), model.by_onnx(model_file)


def test_generation_is_a_function_of_its_seed(history: History) -> None:
    """The same seed gives the same rows, another one others; each kind of fraud is planted."""
    again = generate(6000, seed=5)

    assert again.payments.equals(history.payments)
    assert again.truth.equals(history.truth)
    assert not generate(6000, seed=4).payments.equals(history.payments)
    assert set(history.truth["reason"].value_counts().iter_rows()) == {
        (reason, 6) for reason in ("velocity", "travel", "probing", "model")
    }


def test_planted_fraud_is_found(history: History, exported: tuple[model.Model, model.Model]) -> None:
    """The rules find all that they are for (a payment of the holder's may come into a probing); the model most."""
    rows = {r["reason"]: r for r in report(run.embedded(history.payments, exported[1]), history.truth).to_dicts()}

    for rule in ("velocity", "travel"):
        assert (rows[rule]["recall"], rows[rule]["precision"]) == (1, 1)
    assert rows["probing"]["recall"] >= 0.8
    assert rows["probing"]["precision"] == 1
    assert rows["model"]["recall"] >= 0.6
    assert rows["model"]["precision"] >= 0.6
    assert rows["velocity"]["delay_seconds"] < 25


def test_both_ways_to_run_the_model_agree(history: History, exported: tuple[model.Model, model.Model]) -> None:
    """ONNX Runtime gives what scikit-learn gives."""
    known = features(tr.from_polars(history.payments, name="payments", time=TIME)).collect()
    one, other = (way(model.matrix(known)) for way in exported)

    assert np.allclose(one, other, atol=1e-5)
    assert ((one > 0.5) == model.labels(known, history.truth)).mean() > 0.99


@pytest.mark.integration
def test_on_kafka(history: History, exported: tuple[model.Model, model.Model], kafka: str) -> None:
    """A topic gives the alerts that the frame gives, each once."""
    got = run.on_kafka(kafka, history.payments, exported[1], uuid.uuid4().hex[:8])
    want = run.embedded(history.payments, exported[1])
    order = ["reason", "payment"]

    assert got.sort(order).equals(want.sort(order))
    assert len(got) > 20


def write(bootstrap: str, topic: str, payments: pl.DataFrame) -> None:
    """Write payments into a topic."""
    tr.from_polars(payments, name="made").to_kafka(topic, bootstrap_servers=bootstrap).run()


def read(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    """Give the alerts of a topic that are committed."""
    return [json.loads(message.value()) for message in kafka_kit.consume(bootstrap, topic, settled=False)]


def serve(bootstrap: str, topics: list[str], model_file: Path, state: Path) -> subprocess.Popen[bytes]:
    """Start the service."""
    options = ["--kafka", bootstrap, "--state", str(state), "--payments", topics[0], "--alerts", topics[1]]
    command = [sys.executable, "-m", "fraud_detection.serve", str(model_file), *options]
    return subprocess.Popen(command, cwd=EXAMPLES)


def wait(service: subprocess.Popen[bytes], done: Callable[[], bool]) -> None:
    """Wait until something is so, while the service runs."""
    until = time.monotonic() + 120
    while not done():
        assert service.poll() is None, "the service has ended"
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.2)


@pytest.mark.integration
def test_a_service_that_is_killed(
    history: History, exported: tuple[model.Model, model.Model], model_file: Path, kafka: str, tmp_path: Path
) -> None:
    """Killed between two alerts and started again, it has told of everything once."""
    topics = [kafka_kit.new_topic(kafka), kafka_kit.new_topic(kafka)]
    half, payments = len(history.payments) // 2, history.payments
    last = payments.tail(1).with_columns(card=pl.lit("none"), ts=pl.col("ts") + pl.duration(days=1))
    want = run.embedded(pl.concat([payments, last]), exported[1])

    write(kafka, topics[0], payments[:half])
    service = serve(kafka, topics, model_file, tmp_path)
    wait(service, lambda: len(read(kafka, topics[1])) > 5)
    service.kill()
    service.wait()
    assert len(read(kafka, topics[1])) < len(want)

    write(kafka, topics[0], pl.concat([payments[half:], last]))
    service = serve(kafka, topics, model_file, tmp_path)
    wait(service, lambda: len(read(kafka, topics[1])) >= len(want))
    service.terminate()
    service.wait(60)
    got = [(a["card"], a["reason"], a["payment"], a["detail"]) for a in read(kafka, topics[1])]

    assert sorted(got) == sorted(want.select("card", "reason", "payment", "detail").rows())


def test_report() -> None:
    """What was found, what not, and what is none."""
    at = BEGIN
    minute = timedelta(minutes=1)
    truth = pl.DataFrame(
        [("a", "velocity", at, at + minute), ("b", "velocity", at, at + minute), ("c", "travel", at, at + minute)],
        ["card", "reason", "begin", "end"],
        orient="row",
    )
    alert = [("a", "velocity", 1, at + minute / 2), ("z", "velocity", 2, at), ("c", "velocity", 3, at)]
    made = report(pl.DataFrame(alert, ["card", "reason", "payment", "ts"], orient="row"), truth)

    assert made.rows() == [("travel", 1, 0, 0, 0.0, None, None), ("velocity", 2, 1, 3, 0.5, 0.667, 30)]


def test_the_pipeline_is_exported_as_sql(tmp_path: Path) -> None:
    """Rules without Python of one's own are a script that runs by itself."""
    source = tr.read_files(str(tmp_path), PAYMENT, time=TIME, name="payments")

    assert "LAG(" in features(source).script()
