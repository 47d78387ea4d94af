"""What a running job says of itself: a live line for each source and sink, or log lines, and a summary at the end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from tailrace.cli.screen import LiveLines
from tailrace.observe.plain import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tailrace.runtime.summary import SinkStatus, SinkSummary, SourceStatus, SourceSummary, Status, Summary

LIVE_SECONDS = 0.25
LOG_SECONDS = 5.0


class Observed(Protocol):
    """What runs and can be looked at: a job, or a script (None before its first job)."""

    def status(self) -> Status | None:
        """Give the counters as they are now."""


class Rates:
    """Rows a second of each source and sink, from two looks at a job."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._seconds = 0.0
        self._rates: dict[str, float] = {}

    def update(self, status: Status) -> None:
        """Take a look."""
        passed = status.seconds - self._seconds
        rows = {s.name: s.rows for s in status.sources} | {s.name: s.rows for s in status.sinks}
        if passed > 0:
            self._rates = {name: (n - self._last.get(name, 0)) / passed for name, n in rows.items()}
        self._last, self._seconds = rows, status.seconds

    def of(self, name: str) -> float:
        """Give the rate of a source or sink."""
        return self._rates.get(name, 0.0)


def count(number: float) -> str:
    """
    Write a number of things.

    >>> count(1234567.8)
    '1,234,568'
    """
    return f"{number:,.0f}"


def span(milliseconds: float) -> str:
    """
    Write a length of time.

    >>> span(1500), span(200_000), span(900_000_000)
    ('1.5 s', '3 min', '10 d')
    """
    seconds = milliseconds / 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"


def lag(rows: int | None, behind_ms: int | None) -> str:
    """
    Write how much waits at a source: rows, or time where only that is known; nothing where neither is.

    >>> lag(1234, None), lag(None, 1500), lag(None, None)
    ('1,234', '1.5 s', '')
    """
    if rows is not None:
        return count(rows)
    return "" if behind_ms is None else span(behind_ms)


def source_facts(source: SourceStatus, rates: Rates, now_ms: int) -> list[str]:
    """Say how a source is doing, in a few parts."""
    facts = [f"{count(source.rows)} rows", f"{count(rates.of(source.name))}/s"]
    if waits := lag(source.lag, source.behind_ms):
        facts.append(f"lag {waits}")
    if source.watermark is not None:
        facts.append(f"watermark {span(now_ms - source.watermark)} behind")
    facts += [f"{count(source.late)} late", f"{count(source.errors)} errors"]
    if source.waiting:
        facts.append(f"waiting: {plain(source.waiting)}")
    return facts


def sink_facts(sink: SinkStatus, rates: Rates) -> list[str]:
    """Say how a sink is doing, in a few parts."""
    refused = sum(sink.dropped.values()) + sink.dead_letters
    facts = [f"{count(sink.rows)} rows", f"{count(rates.of(sink.name))}/s"]
    return [*facts, f"{count(refused)} refused"] if refused else facts


def lines(status: Status, rates: Rates, now_ms: int) -> list[str]:
    """Give a line for each source and sink."""
    out = [f"source {s.table}: {', '.join(source_facts(s, rates, now_ms))}" for s in status.sources]
    return out + [f"sink {s.table or '(result)'}: {', '.join(sink_facts(s, rates))}" for s in status.sinks]


def summary_lines(summary: Summary) -> list[str]:
    """Say at the end what happened: rows in and out, those dropped and why, time and memory."""
    word = "finished" if summary.finished else "stopped"
    rate = f"{count(summary.rows_per_second)} rows/s"
    memory = f"peak memory {summary.peak_memory_bytes / (1 << 20):,.0f} MiB"
    rows = f"{count(summary.rows_in)} rows in, {count(summary.rows_out)} rows out"
    out = [f"{word} {summary.name}: {rows} in {summary.seconds:.2f} s ({rate}), {memory}"]
    out += [f"  source {s.table}: {_rows_of(s)}" for s in summary.sources]
    out += [f"  sink {s.table or '(result)'}: {_rows_of(s)}" for s in summary.sinks]
    if summary.restored_epoch:
        out.append(f"  went on from checkpoint {summary.restored_epoch}")
    return [*out, *(f"  note: {plain(note)}" for note in summary.notes)]


def _rows_of(part: SourceSummary | SinkSummary) -> str:
    """Say how many rows a source gave or a sink took, and what became of the others."""
    text = f"{count(part.rows)} rows"
    if part.dropped:
        why = ", ".join(f"{reason} {count(n)}" for reason, n in sorted(part.dropped.items()))
        text += f", dropped {count(sum(part.dropped.values()))} ({why})"
    return f"{text}, {count(part.dead_letters)} dead letters" if part.dead_letters else text


def summary_json(summary: Summary) -> str:
    """Give the summary as one line of JSON."""
    more = {"rows_in": summary.rows_in, "rows_out": summary.rows_out, "rows_per_second": summary.rows_per_second}
    return json.dumps({"summary": asdict(summary) | more})


class Progress:
    """
    Shows a job while it runs, from a thread of its own; a context manager.

    With `live` the lines change in place; elsewhere (and as JSON) they are logged each few seconds.
    """

    def __init__(self, job: Observed, stream: TextIO, *, live: LiveLines | None, as_json: bool = False) -> None:
        self._job = job
        self._stream = stream
        self._live = live
        self._json = as_json
        self._rates = Rates()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show, name="tailrace-progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(5.0)
        if self._live is not None:
            self._live.clear()

    def _show(self) -> None:
        while not self._over.wait(LOG_SECONDS if self._live is None else LIVE_SECONDS):
            status = self._job.status()
            if status is None:
                continue
            self._rates.update(status)
            if self._live is not None:
                self._live.show(lines(status, self._rates, _now()))
            else:
                self._stream.write(self._text(status) + "\n")
                self._stream.flush()

    def _text(self, status: Status) -> str:
        if self._json:
            return json.dumps({"progress": asdict(status)})
        return "\n".join(f"{status.seconds:7.1f} s  {line}" for line in lines(status, self._rates, _now()))


def show_live(job: Observed, rates: Rates, render: Callable[[Status], RenderableType], over: threading.Event) -> None:
    """Draw a job on the terminal (standard error) again and again, until it is over; what else is written there goes above it."""
    from rich.console import Console  # noqa: PLC0415  only on a terminal
    from rich.live import Live  # noqa: PLC0415

    console = Console(stderr=True)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not over.wait(LIVE_SECONDS):
            status = job.status()
            if status is None:
                continue
            rates.update(status)
            live.update(render(status), refresh=True)


def _now() -> int:
    return time.time_ns() // 1_000_000
