"""`tailrace bench overhead`: what it costs to be seen."""

from __future__ import annotations

import json as jsonlib
import sys
from contextlib import AbstractContextManager

from tailrace.bench.overhead import jobs, measure
from tailrace.bench.overhead.measure import Cost, Ratio
from tailrace.cli.bench import machine

_FORMAT = "{:<20} {:>22} {:>22} {:>10}"


def bench(rows: int, pairs: int, kafka: str | None, *, json: bool) -> None:
    """
    Measure each way of being seen, and all together, over files and, if a broker is named, from Kafka to Kafka.

    Raises:
        ConfigError: a library is not installed.
        TerminalError: a job failed, runs gave different rows, or a receiver got nothing.
    """
    chosen: dict[str, AbstractContextManager[jobs.Work]] = {"file": jobs.file_job(rows)}
    if kafka is not None:
        chosen["kafka"] = jobs.kafka_job(rows, kafka)
    if not json:
        print(machine())
    for name, work in chosen.items():
        if not json:
            print(_FORMAT.format(f"{name}, {pairs} pairs", "CPU seconds", "wall time", "start, s"))
        with work as given:
            for way in measure.names():
                print(f"measuring {name}: {way}", file=sys.stderr)
                _show(name, measure.measure(way, given, pairs), json=json)


def _show(job: str, cost: Cost, *, json: bool) -> None:
    if json:
        print(jsonlib.dumps({"job": job} | cost.as_json()), flush=True)
    else:
        print(_FORMAT.format(cost.way, _share(cost.cpu), _share(cost.wall), f"{cost.start:.2f}"), flush=True)


def _share(ratio: Ratio) -> str:
    """Write the median, and the quartiles beside it."""
    return f"{ratio.median:+.1%} ({ratio.low:+.1%} to {ratio.high:+.1%})"
