"""Dead letters where they lie: read back from the table that took them, searched, and known by an id."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.base import AtLeastOnceSink, Report
from tailrace.errors import TransientError
from tailrace.options import OptionText
from tailrace.plan import nodes
from tailrace.plan.catalog import Table
from tailrace.runtime.job import Job
from tailrace.runtime.stored_letter import StoredLetter
from tailrace.schema import BINARIES

MOST = 500
"""So many letters are kept of a look, the newest."""

LOOK_SECONDS = 15.0
"""So long a look may read; then it shows what it has found."""

RAW = ("payload", "key", "headers")
"""The columns that have what came, and may hold what must not be shown."""

_BOUNDED: dict[str, dict[str, str | None]] = {
    "kafka": {"scan.startup.mode": "earliest-offset", "scan.bounded.mode": "latest-offset"},
    "filesystem": {"source.monitor-interval": None},
}
"""By connector: the options with which a table is read from its beginning up to now (None: without that option)."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in a table: the newest letters first, of `matching` ones; `complete` if all of it was read."""

    letters: tuple[StoredLetter, ...]
    matching: int
    seen: int
    complete: bool


class LetterBox:
    """The tables of one job that take dead letters. In `hidden` are columns that must not be shown, nor be found by what they hold."""

    def __init__(
        self, tables: Mapping[str, Table], settings: Mapping[str, str], clock: Clock, hidden: Collection[str]
    ) -> None:
        self.tables: dict[str, Table] = dict(tables)
        self.hidden: frozenset[str] = frozenset(hidden)
        self._settings = {k: v for k, v in settings.items() if k == "table.local-time-zone"}
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, StoredLetter] = {}

    def look(self, table: str, search: str = "", most: int = MOST) -> Look:
        """
        Read a table, and give the newest letters with this text in a column (any case), or in the bytes of the payload.

        Raises:
            ConfigError: the table can't be read.
            TransientError: its system is away, or somebody else looks just now.
        """
        if not self._lock.acquire(timeout=LOOK_SECONDS):
            raise TransientError("somebody else looks at the dead letters just now")
        try:
            found = self._read(self.tables[table], search, most)
            self._known = {letter.id: letter for letter in found.letters} | self._known
            while len(self._known) > 2 * MOST:
                self._known.popitem()
            return found
        finally:
            self._lock.release()

    def find(self, id_: str) -> StoredLetter | None:
        """Give a letter by its id, if it is among the newest of its table."""
        if id_ not in self._known:
            for table in self.tables:
                self.look(table)
        return self._known.get(id_)

    def _read(self, table: Table, search: str, most: int) -> Look:
        schema = table.physical
        scan = nodes.Scan(schema=schema, table=_bounded(table))
        sink = _Kept(_matches(table, search, self.hidden), most)
        plan = nodes.Sink(schema=schema, input=scan, table=None)
        job = Job(f"look at {table.name}", [plan], self._settings, clock=self._clock, query_sinks={"": sink})
        complete = _run(job)
        rows = [row for frame in reversed(sink.frames) for row in reversed(frame.rows(named=True))][:most]
        letters = tuple(StoredLetter(_id(table.name, row), table.name, row) for row in rows)
        return Look(letters, sink.matching, sink.seen, complete)


def _bounded(table: Table) -> Table:
    """Give a table that is read from its beginning up to now."""
    given = {k: v for k, v in table.options.items() if not k.startswith("tailrace.")}
    for key, text in _BOUNDED.get(table.connector, {}).items():
        given.pop(key, None)
        if text is not None:
            given[key] = OptionText(text)
    return replace(table, options=given, watermark=None)


def _matches(table: Table, search: str, hidden: Collection[str]) -> pl.Expr:
    if not search:
        return pl.lit(value=True)
    tests = []
    for field in table.physical:
        if field.name in RAW and hidden:
            continue  # what is hidden must not be found out by trying
        if field.type.kind in BINARIES:
            tests.append(pl.col(field.name).bin.contains(search.encode()))
        elif not isinstance(field.type.polars, pl.List | pl.Struct):
            text = pl.col(field.name).cast(pl.String).str.to_lowercase()
            tests.append(text.str.contains(search.lower(), literal=True))
    return pl.any_horizontal([t.fill_null(value=False) for t in tests]) if tests else pl.lit(value=False)


def _run(job: Job) -> bool:
    """Run a job for a while; tell whether it came to its end."""
    timer = threading.Timer(LOOK_SECONDS, job.stop)
    timer.daemon = True
    timer.start()
    try:
        return job.run().finished
    finally:
        timer.cancel()


class _Kept(AtLeastOnceSink):
    """Keeps the last rows that match."""

    def __init__(self, matches: pl.Expr, most: int) -> None:
        self._matches = matches
        self._most = most
        self.frames: deque[pl.DataFrame] = deque()
        self.matching = 0
        self.seen = 0

    def open(self) -> None:
        """There is nothing to connect to."""

    def write(self, batch: pl.DataFrame) -> None:
        self.seen += len(batch)
        found = batch.filter(self._matches)
        self.matching += len(found)
        if not len(found):
            return
        # gathered: a slice would keep the whole batch in memory
        self.frames.append(found[list(range(max(0, len(found) - self._most), len(found)))])
        while sum(map(len, self.frames)) - len(self.frames[0]) >= self._most:
            self.frames.popleft()

    def prepare(self, epoch: int) -> None:
        """They are in memory only."""

    def check(self) -> Report:
        return Report(True, "this process")

    def close(self) -> None:
        """There is nothing to let go of."""


def _id(table: str, row: Mapping[str, Any]) -> str:
    return hashlib.blake2s(repr((table, sorted(row.items()))).encode(), digest_size=8).hexdigest()
