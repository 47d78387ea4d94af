"""Pairs of runs, off and on, of each way of being seen; the rows of all runs must be as many."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from tailrace.bench.overhead.child import Task
from tailrace.bench.overhead.jobs import Work
from tailrace.bench.overhead.receivers import Receivers, receivers
from tailrace.bench.overhead.ways import Way, ways
from tailrace.errors import TerminalError

LONGEST = 3600.0
_EITHER_END = 0.025


@dataclass(frozen=True, slots=True)
class Ratio:
    """
    On against off: the median of the pairs' ratios, and its confidence interval of 95 %; 0.01 is one per cent more.

    The interval is that of the sign test: between the pairs as far from both ends as a fair coin would still be. Fewer than
    six pairs can't tell as much: theirs is from the lowest to the highest.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> Ratio:
        """
        Compare pairs of off and on.

        >>> Ratio.of([(1.0, 1.02), (2.0, 2.0), (1.0, 1.01)]).median
        0.01
        """
        ratios = sorted(on / off - 1 for off, on in pairs)
        end = _tail(len(ratios))
        return cls(*(round(r, 6) for r in (statistics.median(ratios), ratios[end], ratios[-1 - end])))


def _tail(count: int) -> int:
    """
    Tell how many of so many sorted values, at either end, lie outside of the confidence interval of their median.

    >>> [_tail(n) for n in (1, 5, 6, 41)]
    [0, 0, 0, 13]
    """
    below = accumulate(math.comb(count, heads) for heads in range(count))
    return max(sum(b <= _EITHER_END * (1 << count) for b in below) - 1, 0)


@dataclass(frozen=True, slots=True)
class Cost:
    """
    What a way of being seen costs.

    `cpu` compares CPU seconds of the process, `wall` how long the job took; `start` is CPU seconds once, mostly of loading
    the libraries of exporters.
    """

    way: str
    pairs: int
    rows: int
    cpu_seconds: float
    seconds: float
    cpu: Ratio
    wall: Ratio
    start: float

    def as_json(self) -> dict[str, object]:
        """Give all figures by name."""
        return asdict(self)


def names() -> tuple[str, ...]:
    """Give the ways that are measured."""
    return tuple(ways(Receivers()))


def measure(name: str, work: Work, pairs: int) -> Cost:
    """
    Measure one way of being seen.

    Raises:
        TerminalError: a job failed, runs gave different rows, or a receiver got nothing.
    """
    with receivers() as opened, tempfile.TemporaryDirectory(prefix="tailrace-overhead-") as folder:
        way = ways(opened)[name]
        task = Task(work.small, work.script, folder, dict(way.settings), way.dashboard, pairs)
        runs = _runs(task, opened)
        _check(name, way, runs, opened)
    return _cost(name, runs)


def _runs(task: Task, opened: Receivers) -> list[dict[str, Any]]:
    """Run the child, look at the dashboards that it opens, and give its runs."""
    command = [sys.executable, "-m", "tailrace.bench.overhead.child", json.dumps(asdict(task))]
    found: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,  # noqa: S603  our own
    ):
        assert process.stdout is not None
        timer = threading.Timer(LONGEST, process.kill)
        timer.start()
        for line in process.stdout:
            given = json.loads(line)
            if "page" in given:
                opened.look_at(given["page"])
            else:
                found.append(given)
        process.wait()
        timer.cancel()
        said.seek(0)
        if process.returncode:
            raise TerminalError(f"the benchmark's job failed:\n{said.read()}")
    return found


def _check(name: str, way: Way, runs: Sequence[dict[str, Any]], opened: Receivers) -> None:
    measured = {(r["rows"], r["rows_out"]) for r in runs if r["run"] in ("off", "on")}
    if len(measured) != 1:
        raise TerminalError(f"runs with '{name}' off and on have other rows: {measured}", hint="please report this")
    silent = [sign for sign in way.signs if not opened.came[sign]]
    if silent:
        raise TerminalError(f"with '{name}' nothing came by {', '.join(silent)}", hint="please report this")


def _cost(name: str, runs: Sequence[dict[str, Any]]) -> Cost:
    by = {what: [r for r in runs if r["run"] == what] for what in ("off", "on", "start off", "start on")}
    pairs = list(zip(by["off"], by["on"], strict=True))
    start = by["start on"][0]["cpu"] - by["start off"][0]["cpu"]
    return Cost(
        name,
        len(pairs),
        by["off"][0]["rows"],
        statistics.median(r["cpu"] for r in by["off"]),
        statistics.median(r["seconds"] for r in by["off"]),
        Ratio.of([(off["cpu"], on["cpu"]) for off, on in pairs]),
        Ratio.of([(off["seconds"], on["seconds"]) for off, on in pairs]),
        round(start, 3),
    )
