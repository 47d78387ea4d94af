"""`tailrace bench nexmark` measures what it says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tailrace.bench.nexmark.task import Result, Task


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "tailrace", "bench", "nexmark", "--events", "60000", "--runs", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("way", ["--live", "--keys=30000"])
def test_figures(way: str) -> None:
    """A query's figures are of the events that were asked for; keys make the state wide."""
    done = bench("--queries", "q17", "--json", way)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    assert (found["query"], found["events"], found["live"]) == ("q17", 60_000, way == "--live")
    assert found["events_per_second"] > 0
    assert found["checkpoints"] > 0
    assert (found["rows_out"] > 20_000) == (way != "--live")


def test_the_table_names_the_setting() -> None:
    """The table says how many events there were, where they came from, and what time they span."""
    done = bench("--queries", "q0", "--rate", "1000")

    assert "60,000 events, in memory before the start; 1,000 for each second of event time: 60 s" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("q0 ")


def test_a_mistyped_query_is_refused() -> None:
    """The error names what was meant."""
    done = bench("--queries", "q99x")

    assert done.returncode == 2
    assert "there is no query 'q99x'" in done.stderr


def test_keys_begin_where_all_of_them_are_there() -> None:
    """With many keys the first event is so late that there are as many persons and auctions."""
    task = Task("q0", 1, 1, keys=1000)

    assert task.first == 50_000
    assert Task("q0", 1, 1).first == 0


def test_rates() -> None:
    """Figures per second and per million events."""
    result = Result(
        "q0", 2_000_000, 1, 0, live=False, seconds=4, cpu_seconds=3, rows_out=0, peak_mib=0, state_rows=0, checkpoints=1
    )

    assert (result.events_per_second, result.cpu_per_million) == (500_000, 1.5)
