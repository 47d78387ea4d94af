"""
Look for fraud for ever: `python -m fraud_detection.serve fraud.onnx --kafka localhost:9092 --state state`.

Payments are read from one topic, and alerts written into another, each exactly once. Killed and started again it goes on
where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fraud_detection.features import PAYMENT, TIME
from fraud_detection.model import by_onnx
from fraud_detection.pipeline import alerts

import tailrace as tr

SETTINGS = {"execution.checkpointing.interval": "1 s"}
"""Readers of committed alerts see them at each checkpoint."""
WRITTEN = {"key.format": "raw", "key.fields": "card", "sink.delivery-guarantee": "exactly-once"}


def pipeline(bootstrap: str, payments: str, found: str, model: Path) -> tr.Pipeline:
    """Give the pipeline from one topic into the other."""
    source = tr.read_kafka(payments, PAYMENT, bootstrap_servers=bootstrap, time=TIME, name="payments")
    return alerts(source, by_onnx(model)).to_kafka(found, bootstrap_servers=bootstrap, options=WRITTEN)


def main() -> None:
    """Run as the command line says, until it is stopped."""
    parser = argparse.ArgumentParser(prog="fraud_detection.serve", description=__doc__)
    parser.add_argument("model", type=Path, help="a model that fraud_detection.train wrote")
    parser.add_argument("--kafka", metavar="BOOTSTRAP", required=True, help="the broker, as host:port")
    parser.add_argument("--state", type=Path, required=True, help="the folder of its checkpoints")
    parser.add_argument("--payments", default="payments", help="the topic to read (%(default)s)")
    parser.add_argument("--alerts", default="alerts", help="the topic to write (%(default)s)")
    given = parser.parse_args()
    job = pipeline(given.kafka, given.payments, given.alerts, given.model)
    job.run("fraud", state=given.state, settings=SETTINGS)


if __name__ == "__main__":
    main()
