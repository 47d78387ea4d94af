"""`tailrace bench overhead`: what it costs to be seen."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Collection

from tailrace.bench.overhead import jobs, measure
from tailrace.bench.overhead.measure import Cost, Ratio
from tailrace.cli.bench import machine
from tailrace.errors import ConfigError, did_you_mean

_FORMAT = "{:<20} {:>22} {:>22} {:>10}"


def bench(rows: int, pairs: int, kafka: str | None, traced: int, wanted: Collection[str], *, json: bool) -> None:
    """
    Measure each way of being seen, or those that are wanted, over files or, if a broker is named, from Kafka to Kafka.

    Raises:
        ConfigError: a library is not installed, or there is no such way.
        TerminalError: a job failed, runs gave different rows, or a receiver got nothing.
    """
    found = _ways(wanted)
    name = "file" if kafka is None else "kafka"
    if not json:
        print(machine())
        print(_FORMAT.format(f"{name}, {pairs} pairs", "CPU seconds", "wall time", "start, s"))
    with jobs.file_job(rows) if kafka is None else jobs.kafka_job(rows, kafka, traced) as work:
        for way in found:
            print(f"measuring {name}: {way}", file=sys.stderr)
            _show(name, measure.measure(way, work, pairs), json=json)


def _ways(wanted: Collection[str]) -> Collection[str]:
    known = measure.names()
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise ConfigError(f"there is no way '{name}' of being seen", hint=hint)
    return wanted or known


def _show(job: str, cost: Cost, *, json: bool) -> None:
    if json:
        print(jsonlib.dumps({"job": job} | cost.as_json()), flush=True)
    else:
        print(_FORMAT.format(cost.way, _share(cost.cpu), _share(cost.wall), f"{cost.start:.2f}"), flush=True)


def _share(ratio: Ratio) -> str:
    """Write the median, and its confidence interval beside it."""
    return f"{ratio.median:+.1%} ({ratio.low:+.1%} to {ratio.high:+.1%})"
