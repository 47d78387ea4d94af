"""What is told of a job between two looks, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tailrace.cli.serving import Served, served_at
from tailrace.engine.executor import OperatorStatistics
from tailrace.engine.histogram import BOUNDS, Counted
from tailrace.errors import ConfigError
from tailrace.runtime.observation import Observation, PartitionStatus
from tailrace.runtime.summary import CheckpointStatus, SinkStatus, SourceStatus, Status
from tailrace.web.history import KEPT, JobHistory
from tailrace.web.rates import quantile
from tailrace.web.views import observation_view

SOURCE = SourceStatus("scan-t", "t", 100, 1000, 7, 5_000, {}, 0, 0)
SINK = SinkStatus("sink-o", "o", 10, 0, 0)
OPERATOR = OperatorStatistics("join", 100, 10, 0, 5, None, 1.0)
PARTITIONS = (PartitionStatus("scan-t", "t", "0", 60), PartitionStatus("scan-t", "t", "1", 40))


def look(seconds: float, rows: int, *, counts: dict[int, int] | None = None, restarts: int = 0, **held: float) -> Any:
    """Give a view of a job that has read so many rows in so many seconds."""
    source = replace(SOURCE, rows=rows, held_seconds=held.get("source", 0.0))
    sink = replace(SINK, rows=rows // 10, held_seconds=held.get("sink", 0.0), busy_seconds=held.get("sink", 0.0))
    status = Status("j", "running", seconds, (source,), (sink,), CheckpointStatus(3, 0.1, 0.2, 300))
    latency = Counted(tuple((counts or {}).get(i, 0) for i in range(len(BOUNDS) + 1)))
    operator = replace(OPERATOR, rows_in=rows, busy_seconds=held.get("busy", 0.0))
    return observation_view(Observation(status, (operator,), PARTITIONS, latency, restarts=restarts))


def test_rates_are_those_since_the_last_look() -> None:
    history = JobHistory()
    history.take(look(10.0, 1000, busy=1.0), 20_000)
    shown = history.take(look(12.0, 5000, busy=2.0, source=1.5), 22_000)
    assert shown["sources"][0]["rows_rate"] == 2000
    assert shown["sources"][0]["held"] == 0.75
    assert shown["sinks"][0]["rows_rate"] == 200
    assert shown["operators"][0]["busy"] == 0.5
    assert [p["rows_rate"] for p in shown["partitions"]] == [0, 0]
    sample = shown["sample"]
    assert (sample["rows_in"], sample["rows_out"], sample["lag"], sample["state_rows"]) == (2000, 200, 7, 5)
    assert (sample["watermark_delay"], sample["checkpoint_bytes"]) == (17.0, 300)
    assert shown["bottleneck"]["name"] == "join"


def test_a_slow_sink_is_the_bottleneck() -> None:
    """Although the source waits, too, and the operator works."""
    history = JobHistory()
    history.take(look(10.0, 1000), 0)
    shown = history.take(look(11.0, 1000, busy=0.3, source=0.9, sink=0.6), 1000)
    assert (shown["bottleneck"]["name"], shown["bottleneck"]["share"]) == ("sink-o", pytest.approx(0.6))


def test_latency_is_that_of_the_interval() -> None:
    """What was slow before does not stay in the picture."""
    history = JobHistory()
    history.take(look(1.0, 1, counts={12: 1000}), 0)
    shown = history.take(look(2.0, 1, counts={12: 1000, 2: 10}), 1000)
    assert 0.0025 < shown["sample"]["latency_p99"] <= 0.005
    assert history.take(look(3.0, 1, counts={12: 1000, 2: 10}), 2000)["sample"]["latency_p99"] is None
    assert quantile([0] * len(BOUNDS) + [5], 0.5) == BOUNDS[-1]


def test_a_job_that_went_on_counts_anew() -> None:
    """Its counters begin again; that is no negative rate."""
    history = JobHistory()
    history.take(look(10.0, 1000), 0)
    shown = history.take(look(0.5, 100, restarts=1), 1000)
    assert shown["sample"]["rows_in"] == 0


def test_memory_is_bounded() -> None:
    history = JobHistory()
    for i in range(KEPT + 50):
        history.take(look(float(i), i), i * 1000)
    columns = history.columns()
    assert {len(c) for c in columns.values()} == {KEPT}
    assert columns["at"][-1] == (KEPT + 49) * 1000
    assert JobHistory().columns() == {"at": []}


def test_one_server() -> None:
    assert served_at(None, None, actions=False) is None
    assert served_at("1", None, actions=False) == Served("1")
    assert served_at(None, "1", actions=True) == Served("1", actions=True, ui=True)
    with pytest.raises(ConfigError, match="one server, and two addresses"):
        served_at("1", "2", actions=False)
    with pytest.raises(ConfigError, match="--allow-actions is for a dashboard"):
        served_at(None, None, actions=True)
