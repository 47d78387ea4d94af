"""
Generate readings, look for anomalies in them, and tell what was found: `python -m anomaly_detection.run`.

Readings, anomalies and what came too late are tables of files in a temporary folder, or with `--kafka HOST:PORT` topics: the
pipeline is the same.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from anomaly_detection.generate import History, generate
from anomaly_detection.pipeline import ANOMALY, READING, TIME, anomalies
from anomaly_detection.report import report, show

import tailrace as tr

LATE = {"stage": str, "operator": str, "payload": str}
"""The columns of dead letters that are kept."""
BY_ROW = {"pipeline.auto-watermark-interval": "0"}
"""Each row is late or not by those before it, however they were read: a replay finds what the live run found."""


@dataclass(frozen=True)
class Tables:
    """What is read, and what is written."""

    readings: tr.Table
    anomalies: tr.Table
    late: tr.Table


def in_files(folder: Path) -> Tables:
    """Give tables of files."""
    late = tr.read_files(str(folder / "late"), LATE, name="late")
    readings = tr.read_files(str(folder / "readings"), READING, name="readings", time=TIME, dead_letters=late)
    return Tables(readings, tr.read_files(str(folder / "anomalies"), ANOMALY, name="anomalies"), late)


def on_kafka(bootstrap: str, suffix: str) -> Tables:
    """Give tables of topics, which are read up to what is there when a pipeline starts, and written exactly once."""
    options = {"scan.bounded.mode": "latest-offset", "sink.delivery-guarantee": "exactly-once"}

    def topic(
        name: str, columns: dict[str, object], time: tr.Time | None = None, late: tr.Table | None = None
    ) -> tr.Table:
        return tr.read_kafka(
            f"{name}-{suffix}",
            columns,
            bootstrap_servers=bootstrap,
            name=name,
            time=time,
            dead_letters=late,
            options=options,
        )

    late = topic("late", dict(LATE))
    return Tables(topic("readings", dict(READING), TIME, late), topic("anomalies", dict(ANOMALY)), late)


def run(tables: Tables, history: History) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Write the readings, look for anomalies in them, and read these and what was late."""
    tr.from_polars(history.readings, name="made").insert_into(tables.readings).run("generate")
    with tempfile.TemporaryDirectory() as state:
        anomalies(tables.readings).insert_into(tables.anomalies).run("anomalies", state=state, settings=BY_ROW)
    return tables.anomalies.collect(), late_readings(tables.late)


def late_readings(late: tr.Table) -> pl.DataFrame:
    """Give the readings among the dead letters, once if more than one operator refused them."""
    payload = late.filter(tr.col("stage") == "late").select("payload").collect()["payload"]
    kinds = pl.Struct({"sensor": pl.String, "value": pl.Float64, "ts": pl.String})
    rows = pl.DataFrame({"reading": payload.str.json_decode(kinds)}).unnest("reading").unique()
    return rows.with_columns(pl.col("ts").str.to_datetime(time_unit="ms")).sort("sensor", "ts")


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="anomaly_detection.run", description=__doc__)
    parser.add_argument("--kafka", metavar="BOOTSTRAP", help="a broker to run on, as host:port")
    parser.add_argument("--sensors", type=int, default=20, help="so many sensors (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="other readings with another seed (%(default)s)")
    given = parser.parse_args()
    history = generate(given.sensors, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        tables = on_kafka(given.kafka, uuid.uuid4().hex[:8]) if given.kafka else in_files(Path(folder))
        found, late = run(tables, history)
    show(report(found, history.truth, history.end))
    told = late.join(history.late, ["sensor", "ts"], "semi").height
    print(f"late: {history.late.height} planted, {late.height} refused, {told} of them planted")


if __name__ == "__main__":
    main()
