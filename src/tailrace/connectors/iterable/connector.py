"""The connector's face: options, source and reader."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.connectors.base import (
    Assigned,
    Block,
    Change,
    Connector,
    Context,
    Ended,
    Limit,
    Positions,
    Reader,
    Report,
    Source,
)
from tailrace.connectors.iterable import feeds
from tailrace.connectors.iterable.feeder import Feeder
from tailrace.connectors.iterable.feeds import Feed
from tailrace.connectors.python_rows import as_bytes, frame_of
from tailrace.errors import TailraceError, TerminalError
from tailrace.formats.base import Reject
from tailrace.options import Option, OptionSet, Values, boolean, string
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

PARTITION = "0"
_ALL = 1 << 20

OPTIONS = OptionSet(
    "connector 'iterable'",
    (
        Option("name", string, doc="the name in the process; without it, that of the table"),
        Option("bounded", boolean, True, "whether the iterable comes to an end"),
    ),
)


class IterableSource(Source):
    """
    Reads an iterable of this process; a position is the number of rows read.

    One that is bounded gives its rows again from the start; any other gives what comes from now on.
    """

    def __init__(self, name: str, table: str, schema: Schema, columns: tuple[str, ...], *, bounded: bool) -> None:
        self.bounded = bounded
        self._name = name
        self._table = table
        self._schema = schema
        self._columns = columns
        self._comes_again = bounded

    def open(self, positions: Positions) -> IterableReader:
        feed = feeds.get(self._name)
        if feed is None:
            raise TerminalError(self._missing(), hint=_HINT)
        position = int(positions.get(PARTITION, 0))
        return IterableReader(
            self, feed, self._table, self._schema, self._columns, position, comes_again=self._comes_again
        )

    def check(self) -> Report:
        if feeds.get(self._name) is None:
            return Report.failed(TerminalError(self._missing(), hint=_HINT))
        return Report(True, "an iterable of this process")

    def _missing(self) -> str:
        return f"table '{self._table}': no iterable of this process has the name '{self._name}'"


_HINT = "such a table is made by from_rows, and can be read in the process that made it"


class IterableReader(Reader):
    """Gives what its feeder has taken from the iterable."""

    def __init__(
        self,
        source: IterableSource,
        feed: Feed,
        table: str,
        schema: Schema,
        columns: tuple[str, ...],
        position: int,
        *,
        comes_again: bool,
    ) -> None:
        self._source = source
        self._table = table
        self._schema = schema
        self._known = columns if feed.strict else None
        self._comes_again = comes_again
        self._position = position
        self._announced = False
        self._ended = False
        self._feeder = Feeder(feed.items, feed.convert, position if comes_again else 0)

    def poll(self, limit: Limit) -> list[Block]:
        found = self._feeder.take(limit.rows, limit.wait_seconds)
        if found is None:
            self._raise_failure()
            return []
        return [self._of_frame(found) if isinstance(found, pl.DataFrame) else self._of_rows(found)]

    def _raise_failure(self) -> None:
        failure = self._feeder.failure
        if failure is None or not self._feeder.empty:
            return
        if isinstance(failure, TailraceError):
            raise failure
        message = f"the iterable of table '{self._table}' raised {type(failure).__name__}: {failure}"
        raise TerminalError(message, hint="the rows before it were read") from failure

    def _of_rows(self, rows: list[object]) -> Block:
        frame, bad = frame_of(rows, self._schema, self._known)
        originals = {i: as_bytes(rows[i]) for i in bad}
        return self._block(frame, len(rows), tuple(bad[i] for i in sorted(bad)), originals)

    def _of_frame(self, frame: pl.DataFrame) -> Block:
        missing = [name for name in self._schema.names if name not in frame.columns]
        if missing:
            hint = f"it has: {', '.join(frame.columns)}"
            raise TerminalError(f"a frame of table '{self._table}' has no column '{missing[0]}'", hint=hint)
        return self._block(frame.select(self._schema.names), len(frame), (), {})

    def _block(
        self, frame: pl.DataFrame, count: int, rejects: tuple[Reject, ...], originals: dict[int, bytes]
    ) -> Block:
        offsets = np.arange(self._position, self._position + count, dtype=np.int64)
        self._position += count
        return Block(PARTITION, frame, self._position, offsets, rejects=rejects, originals=originals)

    def changes(self) -> list[Change]:
        found: list[Change] = []
        if not self._announced:
            self._announced = True
            found.append(Assigned(PARTITION))
        over = self._feeder.over and self._feeder.empty and self._feeder.failure is None
        if over and not self._ended:
            self._ended = self._source.bounded = True
            found.append(Ended(PARTITION))
        return found

    def rest(self) -> list[Block]:
        if self._comes_again:
            return []
        self._feeder.close()
        blocks: list[Block] = []
        while (found := self._feeder.take(_ALL, 0.0)) is not None:
            blocks.append(self._of_frame(found) if isinstance(found, pl.DataFrame) else self._of_rows(found))
        return blocks

    def close(self) -> None:
        self._feeder.close()


class IterableConnector(Connector):
    """Rows of Python code of this process."""

    name = "iterable"
    doc = "Rows of an iterable or async iterable of this process."
    options = OPTIONS
    formats = False

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> IterableSource:
        columns = tuple(f.name for f in table.physical)
        name = options["name"] or table.name
        return IterableSource(name, table.name, schema, columns, bounded=options["bounded"])


CONNECTOR = IterableConnector()
