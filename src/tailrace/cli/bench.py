"""`tailrace bench`: what this machine does."""

from __future__ import annotations

import json as jsonlib
import os
import platform
import statistics
import sys
from collections.abc import Callable
from functools import partial

from tailrace.bench import measure
from tailrace.bench.functions import EXPRESSIONS, MOST_CALLS
from tailrace.bench.measure import Result
from tailrace.errors import ConfigError

_FORMAT = "{:<12} {:>12} {:>9} {:>14} {:>13} {:>9}"


def bench(what: str, rows: int, kafka: str | None, runs: int, *, json: bool) -> None:
    """
    Measure, and print a line for each benchmark: the run with the median rate.

    Raises:
        ConfigError: Kafka is to be measured, and no broker was named.
        TerminalError: a pipeline's rows are wrong.
    """
    chosen = _chosen(what, rows, kafka)
    if not json:
        print(machine())
        print(_FORMAT.format("", "rows", "seconds", "rows/s", "CPU s/M rows", "peak MiB"))
    for name, run in chosen.items():
        print(f"measuring {name} ({runs} runs)", file=sys.stderr)
        show(_median([run() for _ in range(runs)]), json=json)


def _chosen(what: str, rows: int, kafka: str | None) -> dict[str, Callable[[], Result]]:
    if what == "kafka" and kafka is None:
        raise ConfigError("no broker to measure with", hint="name one with --kafka HOST:PORT")
    every: dict[str, Callable[[], Result]] = {
        "window": lambda: measure.window(2 * rows),
        "file": lambda: measure.file(rows),
        "warm start": lambda: measure.startup(cold=False),
        "cold start": lambda: measure.startup(cold=True),
    }
    most = {"async udf": MOST_CALLS}
    every |= {n: partial(measure.function, n, min(2 * rows, most.get(n, 2 * rows))) for n in EXPRESSIONS}
    if kafka is not None:
        every["kafka"] = lambda: measure.kafka(rows, kafka)
    return every if what == "all" else {n: f for n, f in every.items() if n.endswith(what)}


def _median(results: list[Result]) -> Result:
    middle = statistics.median_low([r.seconds for r in results])
    return next(r for r in results if r.seconds == middle)


def show(result: Result, *, json: bool) -> None:
    """Print one result."""
    if json:
        print(jsonlib.dumps(result.as_json()), flush=True)
        return
    rate = f"{result.rows_per_second:,.0f}" if result.rows else ""
    cpu = f"{result.cpu_per_million:.2f}" if result.rows else ""
    peak = f"{result.peak_mib:,.0f}" if result.peak_mib else ""
    rows = f"{result.rows:,}" if result.rows else ""
    print(_FORMAT.format(result.name, rows, f"{result.seconds:.2f}", rate, cpu, peak), flush=True)


def machine() -> str:
    """Name what measures."""
    return f"{os.cpu_count()} cores, {_processor()}, Python {platform.python_version()}"


def _processor() -> str:
    """Name the processor as Linux does; elsewhere as Python can."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - a file of the kernel
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
