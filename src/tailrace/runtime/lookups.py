"""Who answers lookups: requests on a thread with an event loop of its own, and tables that are read as a whole."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import polars as pl
import structlog

from tailrace.backoff import Backoff
from tailrace.clock import Clock
from tailrace.connectors import registry
from tailrace.connectors.base import Context, Lookup, Report, Source, WholeOnlyError
from tailrace.connectors.decoding import BlockDecoder
from tailrace.connectors.event_loop import EventLoop
from tailrace.connectors.lookup_options import FULL, NO_CACHE, PARTIAL, REJECT, WAIT
from tailrace.connectors.shared_cache import CacheTally, in_front_of, wanted
from tailrace.connectors.whole import read_whole
from tailrace.engine.lookups import Answer, Asker, CacheRules
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import LookupJoin
from tailrace.runtime.halt import Halt
from tailrace.runtime.inputs import reach
from tailrace.runtime.observation import LookupCacheStatus
from tailrace.runtime.threads import thread
from tailrace.settings import value

_LOOK = 0.1
"""Who waits for an answer looks that often whether the job has halted."""
_CLOSE = 5.0
"""So many seconds each step of the end may take."""

T = TypeVar("T")

_log = structlog.get_logger("tailrace.runtime")


class Lookups:
    """All lookups of a job. The thread starts with the first request."""

    def __init__(self, settings: Mapping[str, str], clock: Clock, context: Callable[[str, str], Context]) -> None:
        self._settings = settings
        self._clock = clock
        self._context = context
        self._halt = Halt()
        self._loop: EventLoop | None = None
        self._lookups: list[Lookup] = []
        self._caches: list[tuple[str, str, CacheTally]] = []
        self._checks: list[tuple[LookupJoin, Callable[[], Report]]] = []

    def obey(self, halt: Halt) -> None:
        """Give up waiting when the job halts."""
        self._halt = halt

    def asker(self, node: LookupJoin) -> Asker:
        """
        Make the asker of a join.

        Raises:
            ConfigError: the table can't be looked up in, or not with its options.
        """
        registry.check_lookup(node.table, node.location)
        options = registry.options_of(node.table).common
        context = self._context("lookup", node.table.name)
        keys = tuple(k.column for k in node.keys)
        limit = value(self._settings, "tailrace.source.retry-limit") / 1000
        if options["lookup.cache"] != FULL:
            try:
                lookup = self._cached(registry.lookup(node.table, node.asked, keys, context), node, keys)
            except ConfigError as error:
                asked = options["lookup.cache"] is not None or options["cache"] != NO_CACHE
                if asked or not isinstance(error, WholeOnlyError):
                    error.location = error.location or options.location("lookup.cache") or node.table.location
                    raise
            else:
                self._lookups.append(lookup)
                self._checks.append((node, lookup.check))
                return RequestAsker(node, lookup, Terms.of(options, limit), self)
        wanted(options, node.table)
        source = registry.source(node.table, node.asked, context)
        self._checks.append((node, source.check))
        interval = options["lookup.full-cache.periodic-reload.interval"]
        return WholeAsker(node, source, context, interval, limit, self)

    def _cached(self, lookup: Lookup, node: LookupJoin, keys: tuple[str, ...]) -> Lookup:
        """Put the shared cache that a table names in front of it."""
        cached = in_front_of(lookup, node.table, node.asked, keys, self._clock, negative=node.retry is None)
        if cached is None:
            return lookup
        self._caches.append((node.table.name, registry.options_of(node.table).common["cache"], cached.tally))
        return cached

    def caches(self) -> tuple[LookupCacheStatus, ...]:
        """Tell what the shared caches were good for, by table; from any thread."""
        found: dict[tuple[str, str], list[CacheTally]] = {}
        for table, cache, tally in self._caches:
            found.setdefault((table, cache), []).append(tally)
        return tuple(_status(table, cache, tallies) for (table, cache), tallies in found.items())

    def check(self) -> list[tuple[LookupJoin, Report]]:
        """Reach every table that is looked up in, and say what is wrong."""
        return [(node, look()) for node, look in self._checks]

    def require(self, written: Sequence[Table]) -> None:
        """
        Reach the tables that are looked up in, except those that are `written` meanwhile.

        Raises:
            ConfigError: one is not there, or can't be read so. One that is away for now is waited for later.
        """
        for node, look in self._checks:
            reach(node.table, look, written, node.location)

    @property
    def halted(self) -> bool:
        """Whether the job has halted."""
        return self._halt.look()

    def monotonic(self) -> float:
        """Give the time for intervals and time-outs."""
        return self._clock.monotonic()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """
        Run something on the loop's thread and wait for it, while the job lasts.

        Raises:
            TerminalError: the job has halted.
        """
        self._loop = self._loop or EventLoop("tailrace-lookups")
        future = self._loop.submit(work)
        while True:
            try:
                return future.result(_LOOK)
            except TimeoutError:
                if future.done():  # just now, or the work itself ran out of time
                    return future.result()
                if self.halted:
                    future.cancel()
                    raise TerminalError("the job was stopped while it waited for a lookup") from None

    def close(self) -> None:
        """Let go of all tables, and end the thread."""
        if self._loop is None:
            return
        try:
            self._loop.cancel(_CLOSE)
            self._loop.run(self._close(), _CLOSE)
            self._loop.close()
        except (TimeoutError, TransientError):
            _log.warning("did not end in time", what="lookups", seconds=_CLOSE)
        self._loop = None

    async def _close(self) -> None:
        await asyncio.gather(*(x.close() for x in self._lookups), return_exceptions=True)


def _status(table: str, cache: str, tallies: Sequence[CacheTally]) -> LookupCacheStatus:
    return LookupCacheStatus(
        table,
        cache,
        sum(t.hits for t in tallies),
        sum(t.negative_hits for t in tallies),
        sum(t.misses for t in tallies),
        sum(t.errors for t in tallies),
        all(t.up for t in tallies),
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """How a table is asked: seconds for a request, requests at a time, tries, and what happens when they fail."""

    timeout: float
    in_flight: int
    retries: int
    on_away: str
    wait_limit: float
    rules: CacheRules = field(default_factory=CacheRules)

    @classmethod
    def of(cls, options: Values, wait_limit: float) -> Terms:
        """Read the options of a table."""
        rules = CacheRules(
            keeps=options["lookup.cache"] == PARTIAL,
            max_rows=options["lookup.partial-cache.max-rows"] or 0,
            after_write=options["lookup.partial-cache.expire-after-write"] or 0,
            after_access=options["lookup.partial-cache.expire-after-access"] or 0,
            missing=options["lookup.partial-cache.cache-missing-key"],
        )
        return cls(
            options["tailrace.lookup.timeout"] / 1000,
            options["tailrace.lookup.max-in-flight"],
            options["lookup.max-retries"],
            options["tailrace.lookup.on-away"],
            wait_limit,
            rules,
        )


class RequestAsker(Asker):
    """Asks a table for keys, in several requests at a time where there are many."""

    def __init__(self, node: LookupJoin, lookup: Lookup, terms: Terms, lookups: Lookups) -> None:
        self.rules = terms.rules
        self.rejects = terms.on_away == REJECT
        self._what = f"table '{node.table.name}', which is looked up in,"
        self._location = node.location
        self._schema = node.asked.polars
        self._lookup = lookup
        self._retry = node.retry
        self._terms = terms
        self._lookups = lookups
        self._gate: asyncio.Semaphore | None = None
        self._open = False

    def table(self) -> pl.DataFrame | None:
        """There is none: it is asked for keys."""
        return None

    def get(self, keys: pl.DataFrame) -> Answer:
        size = self._lookup.keys_per_request
        parts = [keys.slice(first, size) for first in range(0, len(keys), size)]
        try:
            answers = self._lookups.wait(self._all(parts))
        except TailraceError as error:
            error.location = error.location or self._location
            raise
        rows = [a for a in answers if a is not None]
        frame = pl.concat(rows) if rows else pl.DataFrame(schema=self._schema)
        if len(rows) == len(answers):
            return Answer(frame)
        lost = np.concatenate([np.full(len(p), a is None) for p, a in zip(parts, answers, strict=True)])
        _log.warning("keys were not looked up", table=self._what, keys=int(lost.sum()), outcome=self._terms.on_away)
        return Answer(frame, lost)

    async def _all(self, parts: list[pl.DataFrame]) -> list[pl.DataFrame | None]:
        if self._gate is None:
            self._gate = asyncio.Semaphore(self._terms.in_flight)
        if not self._open and not await self._opened():
            return [None] * len(parts)
        return list(await asyncio.gather(*(self._one(p) for p in parts)))

    async def _opened(self) -> bool:
        async def connect() -> bool:
            await self._lookup.open()
            return True

        self._open = bool(await self._tried(connect))
        return self._open

    async def _one(self, keys: pl.DataFrame) -> pl.DataFrame | None:
        """Ask for some keys, and again for those without rows as the query says; None if it failed too often."""
        rows = await self._once(keys)
        for _ in range(self._retry.attempts if self._retry is not None and rows is not None else 0):
            assert self._retry is not None
            assert rows is not None
            keys = keys.join(rows.select(keys.columns), on=keys.columns, how="anti", maintain_order="left")
            if not len(keys):
                break
            await asyncio.sleep(self._retry.delay / 1000)
            more = await self._once(keys)
            # keys that were answered once are not lost
            rows = rows if more is None else pl.concat([rows, more])
        return rows

    async def _once(self, keys: pl.DataFrame) -> pl.DataFrame | None:

        async def ask() -> pl.DataFrame:
            assert self._gate is not None
            async with self._gate:
                return await asyncio.wait_for(self._lookup.get(keys), self._terms.timeout)

        rows = await self._tried(ask)
        return None if rows is None else rows.select([pl.col(n).cast(t) for n, t in self._schema.items()])

    async def _tried(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Try until it works, fails for good, or has failed too often (None)."""
        backoff = Backoff(limit=self._terms.wait_limit)
        while True:
            try:
                return await work()
            except (TimeoutError, TransientError) as error:
                away = error if isinstance(error, TransientError) else self._late()
                if self._terms.on_away != WAIT and backoff.tries >= self._terms.retries:
                    return None
                await asyncio.sleep(backoff.failed(self._what, away, self._lookups.monotonic()))

    def _late(self) -> TransientError:
        hint = "'tailrace.lookup.timeout' gives more time"
        return TransientError(f"no answer within {self._terms.timeout:g} s", hint=hint)


class WholeAsker(Asker):
    """Reads the whole table before the first row, and again at an interval, beside the rows that go on."""

    rules = CacheRules(keeps=True)
    whole = True

    def __init__(
        self,
        node: LookupJoin,
        source: Source,
        context: Context,
        interval: int | None,
        limit: float,
        lookups: Lookups,
    ) -> None:
        self._what = f"table '{node.table.name}', which is looked up in,"
        self._source = source
        if not self._source.bounded:
            hint = "let it end: a cache of the whole table is full when it does"
            message = f"table '{node.table.name}' does not end, so that it can't be looked up in as a whole"
            raise ConfigError(message, hint=hint, location=node.location)
        self._empty = node.asked.empty()
        timezone = context.settings.get("table.local-time-zone", "UTC")
        self._decode = BlockDecoder(node.asked, node.table, registry.options_of(node.table), timezone).decode
        self._interval = None if interval is None else interval / 1000
        self._limit = limit
        self._lookups = lookups
        self._read_at: float | None = None
        self._reading: threading.Thread | None = None
        self._fresh: pl.DataFrame | None = None
        self._failure: BaseException | None = None

    def get(self, keys: pl.DataFrame) -> Answer:
        """Nobody asks for keys: the whole table is known."""
        raise AssertionError(self._what)

    def table(self) -> pl.DataFrame | None:
        now = self._lookups.monotonic()
        if self._read_at is None:
            self._read_at = now
            return self._read()
        if self._interval is None:
            return None
        if self._reading is None and now - self._read_at >= self._interval:
            self._read_at = now
            self._reading = thread(self._read_again, "tailrace-lookup-reload")
            self._reading.start()
        return self._reloaded()

    def _reloaded(self) -> pl.DataFrame | None:
        """Give what was read again, once it is there."""
        if self._reading is None or self._reading.is_alive():
            return None
        self._reading = None
        if self._failure is not None:
            raise self._failure
        fresh, self._fresh = self._fresh, None
        return fresh

    def _read_again(self) -> None:
        try:
            self._fresh = self._read()
        except BaseException as error:  # noqa: BLE001  the engine's thread raises it
            self._failure = error

    def _read(self) -> pl.DataFrame | None:
        backoff = Backoff(limit=self._limit)
        while True:
            try:
                rows = read_whole(self._source, self._decode, self._empty, lambda: self._lookups.halted)
            except TransientError as error:
                pause = backoff.failed(self._what, error, self._lookups.monotonic())
                self._pause(pause)
            else:
                if rows is None:
                    raise TerminalError("the job was stopped while it read a table that is looked up in")
                return rows

    def _pause(self, seconds: float) -> None:
        end = self._lookups.monotonic() + seconds
        while not self._lookups.halted and self._lookups.monotonic() < end:
            time.sleep(_LOOK)
