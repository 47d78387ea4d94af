"""
A lookup behind a cache that several processes share.

A key that the cache does not know is claimed in it before the table is asked: another process that misses it meanwhile sees the claim, waits for
the answer for a bounded time, and only then asks itself. In one process all who miss a key join the one question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.base import Lookup, Report
from tailrace.connectors.cache_store import CacheStore
from tailrace.connectors.shared_cache.flights import FLIGHTS, joined
from tailrace.connectors.shared_cache.guard import Guard
from tailrace.connectors.shared_cache.values import FOUND, NOTHING, PENDING, Values, cache_keys
from tailrace.errors import TailraceError
from tailrace.schema import Field

_KEYS = 2000
_LOOK_SECONDS = 0.01
_LEAST_CLAIM_MS = 1000


@dataclass(slots=True)
class CacheTally:
    """What a shared cache was good for: keys found in it with rows, as known to have none, or not at all; and calls that failed."""

    hits: int = 0
    negative_hits: int = 0
    misses: int = 0
    errors: int = 0
    up: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """How long answers stay (`negative_ms`: that a key has no rows; 0: not kept), and how long the answer of another is waited for."""

    ttl_ms: int
    negative_ms: int
    wait_seconds: float
    timeout: float


class CachedLookup(Lookup):
    """Asks the cache first, then the table for what is missing, and tells the cache."""

    def __init__(
        self,
        inner: Lookup,
        store: CacheStore,
        rules: Rules,
        values: Values,
        keys: Sequence[Field],
        prefix: str,
        clock: Clock,
    ) -> None:
        self.keys_per_request = min(inner.keys_per_request, _KEYS)
        self.tally = CacheTally()
        self._inner = inner
        self._store = store
        self._rules = rules
        self._values = values
        self._keys = tuple(keys)
        self._prefix = prefix
        self._clock = clock
        self._guard = Guard(store.shown, rules.timeout, clock)
        self._opened = False
        self._opening = asyncio.Lock()

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        names = cache_keys(keys, self._keys, self._prefix)
        places = {name: i for i, name in enumerate(names)}
        known = await self._known(names)
        mine, others = FLIGHTS.take(self._store.shown, [n for n in names if n not in known])
        answers: dict[str, bytes] = {}
        try:
            fresh, late = await self._load(mine, keys, places, answers)
        finally:
            FLIGHTS.land(self._store.shown, mine, answers)
        late |= await joined(others)
        rest = [n for n in others if n not in late]
        fresh += await self._ask(rest, keys, places, answers)
        return pl.concat([self._values.read([*known.values(), *late.values()]), *fresh])

    async def _known(self, names: Sequence[str]) -> dict[str, bytes]:
        """Give what the cache has, and count it; not claims, damaged values and those of others."""
        given = await self._read(names)
        known = self._answered(given)
        nothing = sum(v == self._values.nothing for v in known.values())
        self.tally.negative_hits += nothing
        self.tally.hits += len(known) - nothing
        self.tally.misses += len(names) - len(known)
        self._see()
        return known

    async def _read(self, names: Sequence[str]) -> dict[str, bytes]:
        nothing: dict[str, bytes] = {}
        return await self._guard.call(lambda: self._store.get(names), nothing)

    def _answered(self, given: Mapping[str, bytes]) -> dict[str, bytes]:
        believed = (FOUND, NOTHING) if self._rules.negative_ms else (FOUND,)
        return {k: v for k, v in given.items() if self._values.kind(v) in believed}

    async def _load(
        self, names: list[str], keys: pl.DataFrame, places: Mapping[str, int], answers: dict[str, bytes]
    ) -> tuple[list[pl.DataFrame], dict[str, bytes]]:
        """Ask for keys that nobody else in this process asks for; give rows of the table, and values that others have put meanwhile."""
        if not names:
            return [], {}
        claimed = await self._claimed(names)
        try:
            fresh = await self._ask([n for n in names if n in claimed], keys, places, answers)
        except BaseException:
            await self._guard.call(lambda: self._store.drop(list(claimed)), None)
            raise
        found = await self._awaited([n for n in names if n not in claimed])
        answers.update(found)
        rest = [n for n in names if n not in claimed and n not in found]
        return fresh + await self._ask(rest, keys, places, answers), found

    async def _claimed(self, names: list[str]) -> set[str]:
        """Give the keys for which this process asks: all, if nobody waits for another's answer."""
        if not self._rules.wait_seconds:
            return set(names)
        milliseconds = max(_LEAST_CLAIM_MS, int(self._rules.wait_seconds * 1000))
        pending = self._values.pending
        return await self._guard.call(lambda: self._store.claim(names, pending, milliseconds), set(names))

    async def _awaited(self, names: list[str]) -> dict[str, bytes]:
        """Wait for what other processes put, within the bound; a claim that has gone without an answer is waited for no more."""
        found: dict[str, bytes] = {}
        end = self._clock.monotonic() + self._rules.wait_seconds
        while names:
            given = await self._read(names)
            found |= self._answered(given)
            names = [n for n in names if self._values.kind(given.get(n, b"")) == PENDING]
            if self._clock.monotonic() >= end:
                break
            await asyncio.sleep(_LOOK_SECONDS if names else 0)
        return found

    async def _ask(
        self, names: list[str], keys: pl.DataFrame, places: Mapping[str, int], answers: dict[str, bytes]
    ) -> list[pl.DataFrame]:
        """Ask the table for keys, and put what it says into the cache and into `answers`."""
        if not names:
            return []
        await self._open_inner()
        part = keys[[places[n] for n in names]] if len(names) < len(keys) else keys
        rows = (await self._inner.get(part)).select([pl.col(n).cast(t) for n, t in self._values.schema.items()])
        owners = cache_keys(rows, self._keys, self._prefix)
        values = self._values.write(rows, owners, names)
        answers.update(values)
        await self._keep(values)
        return [rows]

    async def _keep(self, values: Mapping[str, bytes]) -> None:
        found = {k: v for k, v in values.items() if v != self._values.nothing}
        nothing = {k: v for k, v in values.items() if v == self._values.nothing}
        if found:
            await self._guard.call(lambda: self._store.put(found, self._rules.ttl_ms), None)
        if nothing and self._rules.negative_ms:
            await self._guard.call(lambda: self._store.put(nothing, self._rules.negative_ms), None)
        elif nothing:
            await self._guard.call(lambda: self._store.drop(list(nothing)), None)
        self._see()

    def _see(self) -> None:
        self.tally.errors, self.tally.up = self._guard.errors, self._guard.up

    async def _open_inner(self) -> None:
        """Connect to the table when it is first needed: as long as the cache knows all keys it may be away."""
        async with self._opening:
            if not self._opened:
                await self._inner.open()
                self._opened = True

    def check(self) -> Report:
        """Reach the table; of the cache it is only said whether it is there, as it is passed by when it is away."""
        report = self._inner.check()
        if not report.ok:
            return report
        try:
            self._store.get([f"{self._prefix}=check"])
        except TailraceError as error:
            return Report(True, f"{report.message}; its cache can't be used: {error.message}")
        finally:
            self._store.rest()
        return Report(True, f"{report.message}; {self._store.shown} as its cache")

    async def close(self) -> None:
        self._guard.close()
        await asyncio.to_thread(self._store.close)
        await self._inner.close()
