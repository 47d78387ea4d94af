"""Running a query for its rows: all of them, some, or as they come."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Self

import polars as pl

from tailrace.api import logs
from tailrace.api.definitions import Definitions
from tailrace.api.places import place
from tailrace.connectors.base import AtLeastOnceSink, Report
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError
from tailrace.plan import nodes
from tailrace.plan.changelog import INSERT_ONLY, changelog_modes
from tailrace.runtime.script import Script
from tailrace.schema import Schema
from tailrace.sql.dialect import nodes as n
from tailrace.sql.statements import Query

OP = "op"
WAITING_FRAMES = 8
"""So many frames wait for a reader of a stream; then the pipeline waits."""

_WAIT_SECONDS = 0.1
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
    query = definitions.query(tree, settings)
    script = _script(definitions, query, frames.append)
    if not script.bounded:
        hint = "use preview() or stream(), or give the sources an end"
        raise ConfigError("an endless table can't be collected", hint=hint, location=place().location())
    script.run()
    return standing(frames, query.plan.schema)


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
    """

    def __init__(self, definitions: Definitions, tree: n.Query, settings: Mapping[str, str]) -> None:
        self._definitions = definitions  # the frames of its tables live as long as they do
        query = definitions.query(tree, settings)
        self._schema = query.plan.schema
        self._updating = _updates(query.plan)
        self._script = _script(definitions, query, self._put)
        self._frames: queue.Queue[pl.DataFrame] = queue.Queue(WAITING_FRAMES)
        self._thread = threading.Thread(target=self._run, name="tailrace-stream", daemon=True)
        self._done = threading.Event()
        self._closed = False
        self._failure: BaseException | None = None

    def empty(self) -> pl.DataFrame:
        """Give a frame of no rows with its columns."""
        return self._shown(self._schema.empty())

    def next_frame(self, seconds: float) -> pl.DataFrame | None:
        """
        Give the next rows, if some come in so many seconds; None if none do, or at the end.

        Raises:
            TailraceError: the pipeline failed.
        """
        if not self._thread.is_alive() and not self._done.is_set():
            self._thread.start()
        until = time.monotonic() + seconds
        while True:
            done = self._done.is_set()  # before the look into the queue: what is there then is all
            try:
                return self._frames.get(timeout=0 if done else min(_WAIT_SECONDS, max(0.0, until - time.monotonic())))
            except queue.Empty:
                if done and self._failure is not None:
                    raise self._failure from None
                if done or time.monotonic() >= until:
                    return None

    def __iter__(self) -> Iterator[pl.DataFrame]:
        with self:
            while not (self._done.is_set() and self._frames.empty()):
                if (frame := self.next_frame(1.0)) is not None:
                    yield frame
            self.next_frame(0)  # raises what ended it

    async def __aiter__(self) -> AsyncIterator[pl.DataFrame]:
        try:
            while not (self._done.is_set() and self._frames.empty()):
                if (frame := await asyncio.to_thread(self.next_frame, 1.0)) is not None:
                    yield frame
            self.next_frame(0)
        finally:
            await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the pipeline and wait for its end; rows that were not read are dropped."""
        self._closed = True
        self._script.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._script.run()
        except BaseException as error:  # noqa: BLE001  it is raised again in the reader's thread
            self._failure = error
        finally:
            self._done.set()

    def _put(self, frame: pl.DataFrame) -> None:
        shown = self._shown(frame)
        waiting = True
        while waiting and not self._closed:
            with suppress(queue.Full):
                self._frames.put(shown, timeout=_WAIT_SECONDS)
                waiting = False

    def _shown(self, frame: pl.DataFrame) -> pl.DataFrame:
        if not self._updating:
            return frame.select(self._schema.names)
        kind = pl.col(KIND) if KIND in frame.columns else pl.lit(RowKind.INSERT.value, pl.Int8)
        op = kind.replace_strict(_SIGNS, return_dtype=pl.String).alias(OP)
        return frame.select(op, *self._schema.names)


def _updates(plan: nodes.Sink) -> bool:
    return changelog_modes([plan])[id(plan)] != INSERT_ONLY


def _script(definitions: Definitions, query: Query, take: Callable[[pl.DataFrame], None]) -> Script:
    settings = query.settings or {}
    tables = definitions.session(settings).tables
    logs.by_default()
    return Script("query", [query], tables, settings, query_sink=lambda _: RowsSink(take))
