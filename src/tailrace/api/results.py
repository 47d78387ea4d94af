"""Running a query for its rows: all of them, some, or as they come."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from html import escape
from typing import Any, Self

import polars as pl

from tailrace.api import logs
from tailrace.api.background import Background
from tailrace.api.channel import Channel
from tailrace.api.definitions import Definitions
from tailrace.api.places import place
from tailrace.connectors.base import AtLeastOnceSink, Report
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError
from tailrace.observe.exporting.telemetry import telemetry
from tailrace.plan import nodes
from tailrace.plan.changelog import INSERT_ONLY, changelog_modes
from tailrace.runtime.script import Script
from tailrace.schema import Schema
from tailrace.sql.dialect import nodes as n
from tailrace.sql.statements import Query

OP = "op"
WAITING_FRAMES = 8
"""So many frames wait for a reader of a stream; then the pipeline waits."""

_SIGNS = {kind.value: kind.sign for kind in RowKind}


class RowsSink(AtLeastOnceSink):
    """Gives each batch to a function."""

    def __init__(self, take: Callable[[pl.DataFrame], None]) -> None:
        self._take = take

    def open(self) -> None:
        """There is nothing to connect to."""

    def write(self, batch: pl.DataFrame) -> None:
        self._take(batch)

    def prepare(self, epoch: int) -> None:
        """The rows were given away already."""

    def check(self) -> Report:
        return Report(True, "this process")

    def close(self) -> None:
        """There is nothing to let go of."""


def collected(definitions: Definitions, tree: n.Query, settings: Mapping[str, str]) -> pl.DataFrame:
    """
    Run a query to its end and give the rows that stand then, in the order in which they came.

    Raises:
        ConfigError: it never ends.
    """
    frames: list[pl.DataFrame] = []
    script, schema = _bounded(definitions, tree, settings, frames.append)
    script.run()
    return standing(frames, schema)


async def collected_async(definitions: Definitions, tree: n.Query, settings: Mapping[str, str]) -> pl.DataFrame:
    """
    Do the same in a thread, while the event loop goes on; who stops to wait for it stops it.

    Raises:
        ConfigError: it never ends.
    """
    frames: list[pl.DataFrame] = []
    script, schema = _bounded(definitions, tree, settings, frames.append)
    background = Background(script)
    background.start()
    try:
        await background.ended()
    finally:
        background.stop()
    if background.failure is not None:
        raise background.failure
    return standing(frames, schema)


def _bounded(
    definitions: Definitions, tree: n.Query, settings: Mapping[str, str], take: Callable[[pl.DataFrame], None]
) -> tuple[Script, Schema]:
    """
    Give the script of a query that ends, and its columns.

    Raises:
        ConfigError: it never ends.
    """
    query = definitions.query(tree, settings)
    script = _script(definitions, query, take)
    if not script.bounded:
        hint = "use preview() or stream(), or give the sources an end"
        raise ConfigError("an endless table can't be collected", hint=hint, location=place().location())
    return script, query.plan.schema


def standing(frames: list[pl.DataFrame], schema: Schema) -> pl.DataFrame:
    """Give the rows that stand at the end of a changelog."""
    if not any(KIND in f.columns for f in frames):
        return pl.concat([schema.empty(), *frames])
    rows = pl.concat([f if KIND in f.columns else f.with_columns(pl.lit(0, pl.Int8).alias(KIND)) for f in frames])
    sign = pl.when(pl.col(KIND).is_in([RowKind.INSERT, RowKind.UPDATE_AFTER])).then(1).otherwise(-1).alias(KIND)
    number, last = "$number", "$last"
    counted = (
        rows.with_columns(sign)
        .with_row_index(number)
        .group_by(schema.names)
        .agg(pl.col(KIND).sum(), pl.col(number).last().alias(last))
        .sort(last)
    )
    left = counted.filter(pl.col(KIND) > 0)
    return left.select(pl.col(schema.names).repeat_by(KIND).explode()) if len(left) else schema.empty()


def previewed(definitions: Definitions, tree: n.Query, rows: int, seconds: float) -> pl.DataFrame:
    """Run a query until it has given so many rows, or for so long, and give them."""
    frames: list[pl.DataFrame] = []
    until = time.monotonic() + seconds
    with Stream(definitions, tree, {}) as stream:
        while sum(map(len, frames)) < rows and (left := until - time.monotonic()) > 0:
            frame = stream.next_frame(left)
            if frame is None:
                break
            frames.append(frame)
    return pl.concat([stream.empty(), *frames]).head(rows)


class Stream:
    """
    The rows of a query while it runs, as frames: read it with `for` or `async for`, and close it, best by `with`.

    It runs in a thread of its own from the first read on, and waits for its reader when `WAITING_FRAMES` are not read.
    An error of the pipeline is raised where the next frame is read.

    >>> import tailrace as tr
    >>> with tr.from_rows([{"v": 1}, {"v": 2}]).stream() as frames:
    ...     [len(frame) for frame in frames]
    [2]
    """

    def __init__(self, definitions: Definitions, tree: n.Query, settings: Mapping[str, str]) -> None:
        self._definitions = definitions  # the frames of its tables live as long as they do
        query = definitions.query(tree, settings)
        self._schema = query.plan.schema
        self._updating = _updates(query.plan)
        self._channel: Channel[pl.DataFrame] = Channel(WAITING_FRAMES)
        self._background = Background(_script(definitions, query, self._put), self._channel.end)

    def empty(self) -> pl.DataFrame:
        """Give a frame of no rows with its columns."""
        return self._shown(self._schema.empty())

    def next_frame(self, seconds: float | None = None) -> pl.DataFrame | None:
        """
        Give the next rows, if some come in so many seconds; None if none do, or at the end.

        Raises:
            TailraceError: the pipeline failed.
        """
        self._background.start()
        frame = self._channel.get(seconds)
        if frame is None and self._channel.exhausted:
            self._raise_failure()
        return frame

    def __iter__(self) -> Iterator[pl.DataFrame]:
        with self:
            while (frame := self.next_frame()) is not None:
                yield frame

    async def __aiter__(self) -> AsyncIterator[pl.DataFrame]:
        async with self:
            self._background.start()
            while (frame := await self._channel.get_async()) is not None:
                yield frame
            self._raise_failure()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Stop the pipeline and wait for its end; rows that were not read are dropped."""
        self._stop()
        self._background.join()

    async def aclose(self) -> None:
        """Stop the pipeline and wait for its end in an event loop."""
        self._stop()
        await self._background.ended()

    def _stop(self) -> None:
        self._channel.close()
        self._background.stop()

    def _raise_failure(self) -> None:
        """Raise what ended the pipeline, once its thread has said so."""
        if self._background.failure is not None:
            raise self._background.failure

    def _put(self, frame: pl.DataFrame) -> None:
        self._channel.put(self._shown(frame))

    def _shown(self, frame: pl.DataFrame) -> pl.DataFrame:
        if not self._updating:
            return frame.select(self._schema.names)
        kind = pl.col(KIND) if KIND in frame.columns else pl.lit(RowKind.INSERT.value, pl.Int8)
        op = kind.replace_strict(_SIGNS, return_dtype=pl.String).alias(OP)
        return frame.select(op, *self._schema.names)


class RowStream:
    """
    The rows of a query while it runs, one by one as dictionaries: for `for`, `async for` and `with`.

    A table that updates has the row kind (+I, -U, +U, -D) at `op`.

    >>> import asyncio
    >>> import tailrace as tr
    >>> table = tr.from_rows([{"v": 1}, {"v": 2}])
    >>> [row["v"] for row in table.rows()]
    [1, 2]
    >>> async def read():
    ...     return [row["v"] async for row in table.rows()]
    >>> asyncio.run(read())
    [1, 2]
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self:
            for frame in self._stream:
                yield from frame.iter_rows(named=True)

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        async with self:
            async for frame in self._stream:
                for row in frame.iter_rows(named=True):
                    yield row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stream.aclose()


def as_html(schema: Schema) -> str:
    """
    Give the columns of a table for a notebook.

    >>> from tailrace.schema import INT, Field
    >>> as_html(Schema((Field("a<b", INT),)))
    '<table><tr><th>column</th><th>type</th></tr><tr><td>a&lt;b</td><td>INT</td></tr></table>'
    """
    rows = (f"<tr><td>{escape(f.name)}</td><td>{escape(str(f.type))}</td></tr>" for f in schema)
    return f"<table><tr><th>column</th><th>type</th></tr>{''.join(rows)}</table>"


def _updates(plan: nodes.Sink) -> bool:
    return changelog_modes([plan])[id(plan)] != INSERT_ONLY


def _script(definitions: Definitions, query: Query, take: Callable[[pl.DataFrame], None]) -> Script:
    settings = query.settings or {}
    tables = definitions.session(settings).tables
    logs.by_default()
    return Script("query", [query], tables, settings, query_sink=lambda _: RowsSink(take), telemetry=telemetry)
