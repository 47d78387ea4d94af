"""The main job by the command line: windows over files and over Kafka, equal to one batch computation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tailrace.bench import events, pipelines

TAILRACE = str(Path(sys.executable).with_name("tailrace"))


def run(folder: Path, script: str, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a script by the command line; it must end well."""
    (folder / "job.sql").write_text(script)
    result = subprocess.run(
        [TAILRACE, "run", "job.sql", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result


def parts(folder: Path) -> list[bytes]:
    """Read the lines of all published part files."""
    files = sorted(p for p in folder.iterdir() if not p.name.startswith((".", "_")))
    return [line for file in files for line in file.read_bytes().splitlines()]


@pytest.mark.parametrize("count", [200_000])
def test_windows_over_a_file(tmp_path: Path, count: int) -> None:
    """Out-of-order and late rows are judged one by one, whatever the batches were."""
    events.write_file(tmp_path / "events.json", count)
    source = pipelines.options(connector="filesystem", path=str(tmp_path / "events.json"), format="json")
    sink = pipelines.options(connector="filesystem", path=str(tmp_path / "out"), format="json")
    result = run(tmp_path, pipelines.script("file", source, sink))
    got, want = pipelines.read_totals(parts(tmp_path / "out")), events.expected(count)

    assert got.equals(want)
    assert want["n"].sum() < count, "some rows were late"
    assert "late" in result.stderr


def test_a_select_prints_rows_and_nothing_else(tmp_path: Path) -> None:
    """With jsonl every line of standard output is one row."""
    events.write_file(tmp_path / "events.json", 20_000)
    source = pipelines.options(connector="filesystem", path=str(tmp_path / "events.json"), format="json")
    table, _, _ = pipelines.script("x", source, "'connector' = 'blackhole'").partition("CREATE TABLE totals")
    select = """SELECT user_id, window_start, COUNT(*) AS n, SUM(price * qty) AS total
    FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY user_id, window_start, window_end;"""
    result = run(tmp_path, table + select, "--output", "jsonl")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    total = sum(round(float(line["row"]["total"]) * 100) for line in lines)

    assert all(set(line) == {"op", "row"} and line["op"] == "+I" for line in lines)
    assert total == events.expected(20_000)["total_cents"].sum()


@pytest.mark.integration
def test_windows_of_a_file_into_kafka(tmp_path: Path, kafka: str) -> None:
    """One million lines of a file into Kafka, in transactions, give the rows of one batch computation."""
    kafka_bench = pytest.importorskip("tailrace.bench.kafka")
    kafka_kit = pytest.importorskip("kafka_kit")
    count = 1_000_000
    events.write_file(tmp_path / "events.json", count)
    topic = kafka_kit.new_topic(kafka, 4)
    source = pipelines.options(connector="filesystem", path=str(tmp_path / "events.json"), format="json")
    sink = pipelines.kafka_table(kafka, topic, sink__delivery_guarantee="exactly-once")
    run(tmp_path, pipelines.script("file-kafka", source, sink))
    got = pipelines.read_totals(kafka_bench.read(kafka, topic))

    assert got.equals(events.expected(count))
    assert got["n"].sum() < count, "some rows were late"


@pytest.mark.integration
def test_windows_over_kafka(tmp_path: Path, kafka: str) -> None:
    """Two million events of four partitions into Kafka, in transactions, give the rows of one batch computation."""
    kafka_bench = pytest.importorskip("tailrace.bench.kafka")
    count, partitions = 2_000_000, 4
    topic_in, topic_out = kafka_bench.fill(kafka, count, partitions)
    source = pipelines.kafka_table(
        kafka, topic_in, scan__startup__mode="earliest-offset", scan__bounded__mode="latest-offset"
    )
    sink = pipelines.kafka_table(kafka, topic_out, sink__delivery_guarantee="exactly-once")
    run(tmp_path, pipelines.script("kafka", source, sink))
    got = pipelines.read_totals(kafka_bench.read(kafka, topic_out))

    assert got.equals(events.expected(count, partitions))
    assert isinstance(got, pl.DataFrame)
    assert got["n"].sum() < count, "some rows were late"
