"""`tailrace bench nexmark`: the queries of the benchmark on this machine."""

from __future__ import annotations

import json as jsonlib
import statistics
import sys

from tailrace.bench.nexmark import queries
from tailrace.bench.nexmark.measure import measure
from tailrace.bench.nexmark.task import Result, Task
from tailrace.cli.bench import machine
from tailrace.errors import ConfigError, did_you_mean

_FORMAT = "{:<6} {:>13} {:>16} {:>9} {:>13} {:>12}"


def bench(chosen: str, events: int, runs: int, rate: int, keys: int, *, live: bool, json: bool) -> None:
    """
    Measure, and print a line for each query: the run with the median rate.

    Raises:
        ConfigError: there is no such query.
        TerminalError: a query can't be run.
    """
    names = _names(chosen)
    if not json:
        made = "made as they are read" if live else "in memory before the start"
        print(f"{machine()}, one core for each query, checkpoints each second")
        print(f"{events:,} events, {made}; {rate:,} for each second of event time: {events / rate:,.0f} s")
        print(_FORMAT.format("query", "events/s", "CPU s/M events", "peak MiB", "state rows", "rows out"))
    for name in names:
        print(f"measuring {name} ({runs} runs)", file=sys.stderr)
        show(_median([measure(Task(name, events, rate, keys, live)) for _ in range(runs)]), json=json)


def _names(chosen: str) -> list[str]:
    if chosen == "all":
        return list(queries.NAMES)
    names = [n.strip() for n in chosen.split(",")]
    for name in names:
        if name not in queries.NAMES:
            hint = did_you_mean(name, queries.NAMES) or f"queries: {', '.join(queries.NAMES)}"
            raise ConfigError(f"there is no query '{name}'", hint=hint)
    return names


def _median(results: list[Result]) -> Result:
    middle = statistics.median_low([r.seconds for r in results])
    return next(r for r in results if r.seconds == middle)


def show(result: Result, *, json: bool) -> None:
    """Print one result."""
    if json:
        print(jsonlib.dumps(result.as_json()), flush=True)
        return
    line = _FORMAT.format(
        result.query,
        f"{result.events_per_second:,.0f}",
        f"{result.cpu_per_million:.2f}",
        f"{result.peak_mib:,.0f}",
        f"{result.state_rows:,}",
        f"{result.rows_out:,}",
    )
    print(line, flush=True)
