"""
The measurements: each runs in a process of its own, and its rows are compared with one batch computation.

Figures are of the job alone, from its start to its last commit, in a process that has run a small one before; the start of
Python and the compilation of kernels are measured by `startup`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from tailrace.bench import events, functions, pipelines, windows
from tailrace.errors import TerminalError

PARTITIONS = 4
_LONGEST = 900.0
_FEW = 1_000


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark gave; 0 where a figure has no meaning for it."""

    name: str
    rows: int
    seconds: float
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    checkpoints: int = 0
    checked: bool = False

    @property
    def rows_per_second(self) -> float:
        """Rows read a second."""
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds of the process for each million rows."""
        return self.cpu_seconds / self.rows * 1e6 if self.rows else 0.0

    def as_json(self) -> dict[str, object]:
        """Give all figures by name."""
        derived = {"rows_per_second": self.rows_per_second, "cpu_seconds_per_million_rows": self.cpu_per_million}
        return {**asdict(self), **derived}


def window(rows: int) -> Result:
    """Measure the window aggregate alone, from batches in memory, on one thread."""
    seconds = windows.measure(rows)
    return Result("window", rows, seconds, seconds)


def function(name: str, rows: int) -> Result:
    """
    Measure a function in Python, or the same expression in SQL, from batches in memory, on one thread.

    Raises:
        TerminalError: the values are wrong.
    """
    seconds = functions.measure(name, rows)
    return Result(name, rows, seconds, seconds, checked=True)


def file(rows: int) -> Result:
    """
    Measure NDJSON from a file through a 10-second window by 10,000 users into files.

    Raises:
        TerminalError: the rows are not those of the batch computation.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _in_child("write_file", folder / "events.json", rows)
        source = pipelines.options(connector="filesystem", path=str(folder / "events.json"), format="json")
        sink = pipelines.options(connector="filesystem", path=str(folder / "out"), format="json")
        figures = _run(folder, pipelines.script("bench-file", source, sink))
        parts = [p for p in (folder / "out").iterdir() if not p.name.startswith((".", "_"))]
        lines = [line for part in parts for line in part.read_bytes().splitlines()]
        _compare(pipelines.read_totals(lines), events.expected(rows))
        return _result("file", figures)


def kafka(rows: int, bootstrap: str) -> Result:
    """
    Measure JSON from a topic of four partitions through the same window into a topic, in transactions.

    Raises:
        TerminalError: the rows are not those of the batch computation.
    """
    from tailrace.bench import kafka as topics  # noqa: PLC0415 - its client is an extra

    topic_in, topic_out = topics.fill(bootstrap, rows, PARTITIONS)
    startup = {"scan__startup__mode": "earliest-offset", "scan__bounded__mode": "latest-offset"}
    source = pipelines.kafka_table(bootstrap, topic_in, **startup)
    sink = pipelines.kafka_table(bootstrap, topic_out, sink__delivery_guarantee="exactly-once")
    try:
        with tempfile.TemporaryDirectory() as name:
            figures = _run(Path(name), pipelines.script("bench-kafka", source, sink))
        _compare(pipelines.read_totals(topics.read(bootstrap, topic_out)), events.expected(rows, PARTITIONS))
    finally:
        topics.drop(bootstrap, topic_in, topic_out)
    return _result("kafka", figures)


def startup(*, cold: bool) -> Result:
    """Measure how long `tailrace run` takes to the first row of its result; `cold`: with no kernel compiled before."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
        script = folder / "bench.sql"
        script.write_text(pipelines.query("bench-startup", few_events(folder)))
        seconds = [first_row(script, environment) for _ in range(1 if cold else 2)]
        return Result("cold start" if cold else "warm start", 0, seconds[-1])


def first_row(script: Path, environment: dict[str, str]) -> float:
    """
    Run a script that prints rows, and give the seconds from the start of its process to the first of them.

    Raises:
        TerminalError: it failed, or printed none.
    """
    command = [sys.executable, "-m", "tailrace", "run", str(script), "--output", "jsonl"]
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        row = process.stdout.readline()
        seconds = time.perf_counter() - began
        _, said = process.communicate(timeout=_LONGEST)
    if process.returncode or not row.startswith('{"op"'):
        raise TerminalError(f"the benchmark's job failed:\n{said}")
    return seconds


def few_events(folder: Path) -> str:
    """Write a small file, and give the options of a table over it."""
    path = folder / "few.json"
    events.write_file(path, _FEW)
    return pipelines.options(connector="filesystem", path=str(path), format="json")


def _in_child(function: str, path: Path, rows: int) -> None:
    """Write events in another process, so that the memory it takes is not counted here."""
    code = (
        f"from pathlib import Path; from tailrace.bench import events; events.{function}(Path({str(path)!r}), {rows})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=_LONGEST)  # noqa: S603 - our own program


def _run(folder: Path, script: str) -> dict[str, float]:
    path, warm = folder / "bench.sql", folder / "warm.sql"
    path.write_text(script)
    out = pipelines.options(connector="filesystem", path=str(folder / "warm"), format="json")
    warm.write_text(pipelines.script("bench-warm", few_events(folder), out))
    command = [sys.executable, "-m", "tailrace.bench.child", str(warm), str(path), str(folder / "state")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise TerminalError(f"the benchmark's job failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _result(name: str, figures: dict[str, float]) -> Result:
    rows, checkpoints = int(figures["rows"]), int(figures["checkpoints"])
    cpu, peak = figures["cpu_seconds"], figures["peak_mib"]
    return Result(name, rows, figures["seconds"], cpu, peak, checkpoints, checked=True)


def _compare(got: pl.DataFrame, want: pl.DataFrame) -> None:
    if not got.equals(want):
        message = f"the pipeline's {len(got)} rows are not the {len(want)} rows of the batch computation"
        raise TerminalError(message, hint="please report this")
