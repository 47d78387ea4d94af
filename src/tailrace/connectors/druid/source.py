"""The source: the rows of a datasource in the order of their time, or those of a query."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import numpy as np
import polars as pl

from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.druid.client import Server
from tailrace.connectors.druid.columns import Answered, quoted
from tailrace.connectors.druid.lines import aligned, decoder, lines, nested
from tailrace.connectors.druid.options import TIME
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError, did_you_mean
from tailrace.formats.base import Reject, Rows
from tailrace.schema import BIGINT, Field, Schema

SQL = "/druid/v2/sql"
ORDER = "$time"
"""The column by which rows are kept in order, in milliseconds; none in a query."""
_UNLOADED = (
    "SELECT segment_id FROM sys.segments WHERE datasource = ? AND is_active = 1 AND is_published = 1"
    " AND is_available = 0 AND replication_factor <> 0 LIMIT 1"
)
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Scan:
    """
    What is read: `names` has the name in Druid of each column of `schema`.

    `query` is given instead of a datasource; `start` and `end` bound the time of rows, in milliseconds. With `poll_seconds` later rows are looked for.
    """

    server: Server
    datasource: str
    query: str | None
    schema: Schema
    names: tuple[str, ...]
    start: int | None
    end: int | None
    poll_seconds: float | None
    timeout_ms: int

    @property
    def shown(self) -> str:
        """What errors call it."""
        return "the query" if self.query is not None else f"datasource '{self.datasource}'"

    @property
    def inner(self) -> str:
        """What stands behind FROM."""
        return f"({self.query.strip().rstrip(';')})" if self.query is not None else quoted(self.datasource)

    def body(self, sql: str, *, header: bool = False) -> dict[str, Any]:
        """Give the body of a request; `header`: with the names and types of columns."""
        context = {"sqlStringifyArrays": False, "timeout": self.timeout_ms, "sqlTimeZone": "UTC"}
        wanted = {"header": True, "typesHeader": True, "sqlTypesHeader": True} if header else {}
        return {"query": sql, "resultFormat": "objectLines", "context": context, **wanted}

    def answered(self, client: httpx.Client) -> Answered:
        """
        Ask which columns there are, and give what is to be made of them.

        Raises:
            ConfigError: there is no such datasource, or a column is not in it.
        """
        kinds = self._kinds(client)
        for name in self.names:
            if name not in kinds:
                hint = did_you_mean(name, kinds) or f"it has: {', '.join(kinds)}"
                raise ConfigError(f"{self.shown} at {self.server.shown} has no column '{name}'", hint=hint)
        fields, names = tuple(self.schema), self.names
        if self.query is None:
            fields, names = (*fields, Field(ORDER, BIGINT)), (*names, TIME)
        return Answered(Schema(fields), names, [kinds[n] for n in names])

    def _kinds(self, client: httpx.Client) -> dict[str, str]:
        body = self.body(f"SELECT * FROM {self.inner} LIMIT 0", header=True)  # noqa: S608  names are quoted
        try:
            found = self._first(client, body)
        except TerminalError as error:
            if self.query is None and f"Object '{self.datasource}' not found" in error.message:
                hint = "mend 'datasource'; one is there once Druid has rows of it"
                message = f"there is no datasource '{self.datasource}' at {self.server.shown}"
                raise ConfigError(message, hint=hint) from None
            raise
        return {name: _kind(told) for name, told in (found or {}).items()}

    def _first(self, client: httpx.Client, body: dict[str, Any]) -> Any:
        """
        Give the first line of an answer that is read whole; None if it has none.

        Raises:
            TransientError: it broke off, as where a part of Druid has just gone away.
        """
        answer = self.server.ask(client, "POST", SQL, body)
        if not answer.endswith(b"\n\n"):
            raise TransientError(f"{self.shown}: the answer of Druid at {self.server.shown} broke off before its end")
        line = answer.split(b"\n", 1)[0]
        return self.server.decoded(line) if line else None

    def refuse_partly_loaded(self, client: httpx.Client) -> None:
        """
        Make sure that Druid has loaded all segments: it leaves out what others have, and says nothing.

        Raises:
            TransientError: it has not, as after a restart, or just after a batch was ingested.
        """
        if self.query is not None:
            return
        body = self.body(_UNLOADED) | {"parameters": [{"type": "VARCHAR", "value": self.datasource}]}
        found = self._first(client, body)
        if found is not None:
            which = found["segment_id"]
            raise TransientError(f"{self.shown} at {self.server.shown}: segment {which} is not loaded yet")

    def select(self, answered: Answered, after: int | None) -> str:
        """Write the query for rows from a time on (None: all)."""
        sql = f"SELECT {', '.join(answered.selected)} FROM {self.inner}"  # noqa: S608  names are quoted
        start = self.start if after is None else after
        bounds = [f"{quoted(TIME)} >= MILLIS_TO_TIMESTAMP({start})"] if start is not None else []
        bounds += [f"{quoted(TIME)} < MILLIS_TO_TIMESTAMP({self.end})"] if self.end is not None else []
        where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
        return sql + where + (f" ORDER BY {quoted(TIME)}" if self.query is None else "")


def _kind(told: dict[str, str]) -> str:
    """Give the type of a column: that of Druid's own, but for times and booleans, which SQL alone knows."""
    return told["sqlType"] if told["sqlType"] in ("TIMESTAMP", "BOOLEAN") else told["type"]


class DruidSource(Source):
    """Reads by SQL, in the order of time, so that a position tells what is behind it."""

    def __init__(self, scan: Scan) -> None:
        self.bounded = scan.poll_seconds is None
        self._scan = scan

    def open(self, positions: Positions) -> DruidReader:
        return DruidReader(self._scan, positions.get(self._scan.datasource))

    def check(self) -> Report:
        scan = self._scan
        with scan.server.client() as client:
            try:
                version = scan.server.version(client)
                scan.answered(client)
            except TailraceError as error:
                return Report.failed(error)
        return Report(True, f"{scan.shown} at {scan.server.shown}, Druid {version}")


@dataclass(slots=True)
class _At:
    """Where reading stands: rows up to before `time` were given, and `rows` of that time (of a query: of all)."""

    time: int | None = None
    rows: int = 0

    def pass_by(self, times: pl.Series | None, count: int) -> None:
        """Move behind some rows."""
        if times is None:
            self.rows += count
            return
        last = int(times[-1])
        of_last = int((times == last).sum())
        self.rows = self.rows + of_last if last == self.time else of_last
        self.time = last


class DruidReader(Reader):
    """Reads the answer of one query as it comes; one that breaks off is asked for again from where it was."""

    def __init__(self, scan: Scan, position: Any) -> None:
        self._scan = scan
        self._at = _At(*position) if position is not None else _At()
        self._changes: list[Change] = [Assigned(scan.datasource)]
        self._ended = False
        self._next = 0.0
        self._count = 0
        self._client = scan.server.client()
        self._answer: _Answer | None = None
        self._seen = position is not None

    def poll(self, limit: Limit) -> list[Block]:
        wait = self._next - time.monotonic()
        if self._ended or wait > 0:
            time.sleep(min(max(wait, 0.0), limit.wait_seconds))
            return []
        if self._answer is None:
            self._answer = self._ask()
        try:
            found = self._answer.take()
        except TailraceError:
            self._drop()
            raise
        if found is None:
            self._drop()
            self._drained()
            return []
        rows, rejects = found
        return [self._block(rows, rejects)] if len(rows) else []

    def _ask(self) -> _Answer:
        try:
            answer = _Answer(self._scan, self._client, self._at)
        except ConfigError as error:
            if not self._seen:
                raise
            raise TransientError(error.message) from None  # as while Druid starts again
        self._seen = True
        return answer

    def _drop(self) -> None:
        if self._answer is not None:
            self._answer.close()
            self._answer = None

    def _drained(self) -> None:
        if self._scan.poll_seconds is None:
            self._ended = True
            self._changes.append(Ended(self._scan.datasource))
        else:
            self._next = time.monotonic() + self._scan.poll_seconds

    def _block(self, rows: pl.DataFrame, rejects: list[Reject]) -> Block:
        self._at.pass_by(rows[ORDER] if ORDER in rows.columns else None, len(rows))
        numbers = np.arange(self._count, self._count + len(rows), dtype=np.int64)
        self._count += len(rows)
        values = rows.select(self._scan.schema.names)
        return Block(self._scan.datasource, values, [self._at.time, self._at.rows], numbers, rejects=tuple(rejects))

    def changes(self) -> list[Change]:
        found, self._changes = self._changes, []
        return found

    def close(self) -> None:
        self._drop()
        self._client.close()


class _Answer:
    """The answer to a query for the rows behind a position, taken piece by piece."""

    def __init__(self, scan: Scan, client: httpx.Client, at: _At) -> None:
        self._answered = scan.answered(client)
        scan.refuse_partly_loaded(client)
        self._decoder = decoder(self._answered.decoded)
        self._ordered = ORDER in self._answered.schema
        self._skip = at.rows
        self._held = self._answered.schema.empty()
        self._open = ExitStack()
        body = scan.body(scan.select(self._answered, at.time))
        response = self._open.enter_context(scan.server.streamed(client, "POST", SQL, body))
        self._lines = lines(response.iter_bytes(_PIECE), scan.shown)
        self._scan = scan

    def take(self) -> tuple[pl.DataFrame, list[Reject]] | None:
        """
        Give the next rows, and which of them could not be read; None at the end.

        Rows of one time stay together, so that none of them is asked for again: Druid may give them in another order then.

        Raises:
            TransientError: the answer broke off.
        """
        try:
            found = next(self._lines, None)
        except httpx.HTTPError as error:
            raise self._scan.server.away(error) from None
        if found is None:
            held, self._held = self._held, self._held.clear()
            return (held, []) if len(held) else None
        rows, rejects = self._rows(found)
        gone = min(self._skip, len(rows))
        self._skip -= gone
        rows, rejects = rows.slice(gone), [replace(r, row=r.row - gone) for r in rejects if r.row >= gone]
        return self._ready(rows, rejects) if self._ordered else (rows, rejects)

    def _rows(self, found: Rows) -> tuple[pl.DataFrame, list[Reject]]:
        frame, rejects = aligned(found, self._decoder)
        if rejects and self._ordered:  # their place among the others is to be known
            times, _ = aligned(found, decoder(Schema((self._answered.schema[ORDER],))))
            frame = frame.with_columns(times[ORDER])
        frame = self._answered.columns(frame)
        for name in self._answered.nested:
            column, bad = nested(frame[name], self._answered.schema[name])
            frame = frame.with_columns(column)
            rejects += bad
        return frame, rejects

    def _ready(self, rows: pl.DataFrame, rejects: list[Reject]) -> tuple[pl.DataFrame, list[Reject]]:
        """Give the rows whose time is over; what can't be read goes on at once, with all before it."""
        before = len(self._held)
        rows = pl.concat([self._held, rows])
        ready = len(rows)
        if len(rows) and rows[ORDER][0] != rows[ORDER][-1] and not rejects:
            ready = int((rows[ORDER] < rows[ORDER][-1]).sum())
        self._held = rows.slice(ready)
        return rows.head(ready), [replace(r, row=r.row + before) for r in rejects]

    def close(self) -> None:
        """Let go of the connection."""
        self._open.close()
