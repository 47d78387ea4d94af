"""
Generate payments, look for fraud in them, and tell what was found: `python -m fraud_detection.run`.

Without a broker the pipeline runs on the frame of payments itself; with `--kafka HOST:PORT` it reads them from one topic
and writes its alerts into another, each exactly once.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from pathlib import Path

import polars as pl
from fraud_detection import model
from fraud_detection.features import PAYMENT, TIME
from fraud_detection.generate import generate
from fraud_detection.pipeline import ALERT, alerts
from fraud_detection.report import report, show

import tailrace as tr

BOUNDED = {"scan.bounded.mode": "latest-offset"}
BY_CARD = {"key.format": "raw", "key.fields": "card"}
EXACTLY_ONCE = {"sink.delivery-guarantee": "exactly-once"}


def embedded(payments: pl.DataFrame, score: model.Model) -> pl.DataFrame:
    """Run on the payments as they lie in memory."""
    return alerts(tr.from_polars(payments, name="payments", time=TIME), score).collect()


def on_kafka(bootstrap: str, payments: pl.DataFrame, score: model.Model, suffix: str) -> pl.DataFrame:
    """Write the payments into a topic, the alerts on them into a second one, and read these."""
    given, found = f"payments-{suffix}", f"alerts-{suffix}"
    made = tr.from_polars(payments, name="made", time=TIME)
    made.to_kafka(given, bootstrap_servers=bootstrap, options=BY_CARD).run("generate")
    source = tr.read_kafka(given, PAYMENT, bootstrap_servers=bootstrap, time=TIME, name="payments", options=BOUNDED)
    sink = alerts(source, score).to_kafka(found, bootstrap_servers=bootstrap, options=BY_CARD | EXACTLY_ONCE)
    with tempfile.TemporaryDirectory() as state:
        sink.run("fraud", state=state)
    return tr.read_kafka(found, ALERT, bootstrap_servers=bootstrap, name="alerts", options=BOUNDED).collect()


def trained(way: str, rows: int, seed: int) -> model.Model:
    """Train on other payments than those that are looked at."""
    classifier = model.train(generate(rows, seed))
    if way == "sklearn":
        return model.by_sklearn(classifier)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "fraud.onnx"
        model.export(classifier, exported)
        return model.by_onnx(exported)


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="fraud_detection.run", description=__doc__)
    parser.add_argument("--kafka", metavar="BOOTSTRAP", help="a broker to run on, as host:port")
    parser.add_argument("--rows", type=int, default=20_000, help="about so many payments (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="other ones with another seed (%(default)s)")
    parser.add_argument("--model", choices=["sklearn", "onnx"], default="onnx", help="what runs it (%(default)s)")
    given = parser.parse_args()
    history = generate(given.rows, given.seed)
    score = trained(given.model, given.rows, given.seed + 1)
    if given.kafka:
        found = on_kafka(given.kafka, history.payments, score, uuid.uuid4().hex[:8])
    else:
        found = embedded(history.payments, score)
    show(report(found, history.truth))


if __name__ == "__main__":
    main()
