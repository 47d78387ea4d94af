"""Partitions that are empty, end early, or whose clocks differ by an hour: the outcome is that of one batch computation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import script_kit as kit

COUNT = 300_000
KEYS = 100
BASE = 1_767_225_600_000
SIZE, DELAY = 10_000, 5_000
SCRIPT = """SET 'pipeline.auto-watermark-interval' = '{auto}';
CREATE TABLE events (k BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ({events});
CREATE TABLE totals (k BIGINT, w TIMESTAMP(3), n BIGINT, total BIGINT) WITH ({totals});
INSERT INTO totals SELECT k, window_start, COUNT(*), SUM(v)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
"""
SKEW = {0: 0, 1: -3_600_000, 2: 3_600_000, 3: 0}
"""How far the clock of each partition is off; partition 3 ends early, and 4 has nothing."""


def rows(late: int) -> pl.DataFrame:
    """Give events of all partitions, in order of arrival: within four seconds of their order, one in 500 `late` ms more."""
    rng = np.random.default_rng(11)
    number = np.arange(COUNT)
    partition = np.where(number < COUNT // 10, number % 4, number % 3)
    skew = np.array([SKEW[p] for p in range(4)])[partition]
    delay = rng.integers(0, 4000, COUNT) + np.where(rng.integers(0, 500, COUNT) == 0, late, 0)
    return pl.DataFrame(
        {
            "k": rng.integers(0, KEYS, COUNT),
            "v": rng.integers(-1000, 1000, COUNT),
            "ts": BASE + number // 2 + skew - delay,
            "partition": partition,
        }
    )


def expected(frame: pl.DataFrame) -> pl.DataFrame:
    """Compute the windows in one batch: a row counts by the greatest time before it in its partition."""
    start = pl.col("ts") // SIZE * SIZE
    before = pl.col("ts").cum_max().shift(1).over("partition") - DELAY
    on_time = frame.with_columns(start.alias("w")).filter(before.is_null() | (pl.col("w") + SIZE - 1 > before))
    grouped = on_time.group_by("k", "w").agg(pl.len().cast(pl.Int64).alias("n"), pl.col("v").sum().alias("total"))
    return grouped.sort("k", "w")


def lines(frame: pl.DataFrame) -> list[str]:
    """Give rows as JSON."""
    ts = pl.col("ts").cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%d %H:%M:%S%.3f")
    parts = ['{"k":', pl.col("k"), ',"v":', pl.col("v"), ',"ts":"', ts, '"}']
    text = pl.concat_str([pl.lit(p) if isinstance(p, str) else p for p in parts])
    return frame.select(text).to_series().to_list()


def read(texts: list[bytes]) -> pl.DataFrame:
    """Read the totals that a job wrote."""
    frame = pl.DataFrame([json.loads(t) for t in texts])
    start = pl.col("w").str.to_datetime(time_unit="ms").dt.epoch("ms")
    return frame.select("k", start, "n", "total").sort("k", "w")


@pytest.mark.parametrize(("late", "auto"), [(20_000, "0"), (0, "200 ms")], ids=["late rows", "between ticks"])
def test_files(tmp_path: Path, late: int, auto: str) -> None:
    """A file is a partition; with a watermark between ticks nothing may be late that is within the delay."""
    frame = rows(late)
    (tmp_path / "in").mkdir()
    for p in range(5):
        mine = frame.filter(pl.col("partition") == p)
        (tmp_path / "in" / f"{p}.json").write_text("\n".join(lines(mine)))
    events = kit.options(connector="filesystem", path=str(tmp_path / "in"), format="json")
    totals = kit.options(connector="filesystem", path=str(tmp_path / "out"), format="json")
    kit.run(SCRIPT.format(auto=auto, events=events, totals=totals))
    got = read([line for p in (tmp_path / "out").glob("part-*") for line in p.read_bytes().splitlines()])
    want = expected(frame)

    assert got.equals(want)
    assert (want["n"].sum() < COUNT) == bool(late)


@pytest.mark.integration
@pytest.mark.parametrize("native", ["true", "false"])
def test_kafka(kafka: str, native: str) -> None:
    """So is a partition of a topic, read by either way."""
    kafka_kit = pytest.importorskip("kafka_kit")
    frame = rows(20_000)
    topic, out = kafka_kit.new_topic(kafka, 5), kafka_kit.new_topic(kafka, 2)
    partitions = frame["partition"].to_list()
    messages = [{"value": v, "partition": p} for v, p in zip(lines(frame), partitions, strict=True)]
    kafka_kit.produce(kafka, topic, messages, **{"queue.buffering.max.messages": COUNT + 1})
    given = {"connector": "kafka", "properties.bootstrap.servers": kafka, "format": "json"}
    bounds = {"scan.startup.mode": "earliest-offset", "scan.bounded.mode": "latest-offset"}
    events = kit.options(**given, **bounds, topic=topic, **{"tailrace.kafka.native": native})
    totals = kit.options(**given, topic=out, **{"sink.delivery-guarantee": "exactly-once"})
    kit.run(SCRIPT.format(auto="0", events=events, totals=totals))

    assert read([m.value() for m in kafka_kit.consume(kafka, out)]).equals(expected(frame))
