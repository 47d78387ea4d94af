"""Temporal joins: each row meets the version of the other side that was there at its time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.batch import KIND, MIN_WATERMARK, Batch, RowKind
from tailrace.engine.kernels import versions as kernels
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Operator, Times
from tailrace.engine.predicate import Predicate
from tailrace.engine.version_store import VersionStore
from tailrace.expressions.nodes import columns
from tailrace.plan.nodes import TemporalJoin, Versions
from tailrace.state.delta import StateDelta
from tailrace.state.index import KeyIndex, grown
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves
from tailrace.state.row_store import RowStore, latest

_AT = "$at"
_LAST = "$last"


class TemporalJoinOperator(Operator):
    """
    Keeps rows of the left until the watermark has passed them, and the versions of the right that they may need.

    The watermark is that of both sides. A row of the left that comes after it meets the version that was there at the
    watermark, if that was there at its own time too; a version that comes after it counts for the rows that still wait.
    """

    def __init__(self, node: TemporalJoin, timezone: str, ttl: int = 0) -> None:
        self._node = node
        self._keys = ([k.left for k in node.keys], [k.right for k in node.keys])
        self._strict = [k.right for k in node.keys if not k.null_safe]
        self._condition = Predicate(node.condition, timezone) if node.condition is not None else None
        asked = columns(node.condition) if node.condition is not None else set()
        self._out = tuple([n for n in side.schema.names if n in node.schema] for side in node.inputs)
        self._asked = tuple([n for n in side.schema.names if n in asked] for side in node.inputs)
        self._left, self._right = (
            {n: t for n, t in side.schema.polars.items() if n in {*keys, *asked, *out, node.time, node.version_time}}
            for side, keys, out in zip(node.inputs, self._keys, self._out, strict=True)
        )
        self._index = KeyIndex()
        self._waiting = RowStore(self._left)
        self._times = np.zeros(1024, dtype=np.int64)
        self._versions = VersionStore(self._right, node.version_time, ttl)
        self._late = MIN_WATERMARK

    @property
    def state_rows(self) -> int:
        return len(self._waiting) + len(self._versions.rows)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        self._late = times.watermark
        if port == 0:
            self._add_rows(batch)
        else:
            self._add_versions(batch, times.now)
        return []

    def _slots(self, port: int, batch: Batch) -> I64:
        a, b = key_halves(batch.select(self._keys[port]))
        slots, _ = self._index.slots(np.ascontiguousarray(a), np.ascontiguousarray(b))
        for number, store in enumerate((self._waiting, self._versions.rows)):
            store.reserve(len(batch) if number == port else 0, len(self._index))
        return slots

    def _add_rows(self, batch: Batch) -> None:
        numbers = self._waiting.append(batch.select(list(self._left)), self._slots(0, batch), 0)
        self._times = grown(self._times, self._waiting.used)
        self._times[numbers] = milliseconds(batch[self._node.time])

    def _add_versions(self, batch: Batch, now: int) -> None:
        if sum(batch[n].null_count() for n in self._strict):
            # no row of the left can ask for it, and one without a key would find it
            batch = batch.filter(~pl.any_horizontal(pl.col(self._strict).is_null()))
        removed = np.zeros(len(batch), dtype=np.bool_)
        if KIND in batch.columns:
            # the row before an update has the time of an older version: what comes after it ends that one
            batch = batch.filter(pl.col(KIND) != int(RowKind.UPDATE_BEFORE))
            removed = (batch[KIND] == int(RowKind.DELETE)).to_numpy()
        self._versions.add(batch.select(list(self._right)), self._slots(1, batch), removed, now)

    def advance(self, times: Times) -> list[Batch]:
        self._versions.rows.drop(self._versions.rows.expired(times.now))
        rows = self._waiting.live()
        rows = rows[self._times[rows] <= times.watermark]
        out = self._joined(rows, times) if len(rows) and times.watermark != MIN_WATERMARK else []
        self._versions.drop_old(times.watermark)
        if self._waiting.worth_compacting or self._versions.rows.worth_compacting:
            self._compact()
        return out

    def _joined(self, rows: I64, times: Times) -> list[Batch]:
        """Put out rows of the left."""
        found = self._versions.find(self._waiting.slots(rows), self._times[rows], self._late)
        if self._condition is not None:
            found = self._passing(self._condition, rows, found, times)
        kept = rows
        if not self._node.kind.keeps_left:
            kept, found = rows[found >= 0], found[found >= 0]
        left = self._waiting.gather(kept, self._out[0])
        right = self._versions.rows.gather_known(found, self._out[1]) if self._out[1] else pl.DataFrame()
        self._waiting.drop(rows)
        return [pl.DataFrame([*left.get_columns(), *right.get_columns()]).select(list(self._node.schema.names))]

    def _passing(self, condition: Predicate, rows: I64, found: I64, times: Times) -> I64:
        """Give the versions for which the condition is true, and -1 for the others."""
        at = np.flatnonzero(found >= 0)
        left = self._waiting.gather(rows[at], self._asked[0]).get_columns()
        right = self._versions.rows.gather(found[at], self._asked[1]).get_columns()
        passing = condition.passing(pl.DataFrame([*left, *right, pl.Series(_AT, at)]), times, self)
        chosen = passing[_AT].to_numpy()
        out = np.full(len(found), -1)
        out[chosen] = found[chosen]
        return out

    def _compact(self) -> None:
        """Forget dropped rows and the keys that have none left."""
        stores = (self._waiting, self._versions.rows)
        used = stores[0].used_slots(len(self._index)) | stores[1].used_slots(len(self._index))
        kept = np.flatnonzero(used)
        new_slots = np.full(len(self._index), -1)
        new_slots[kept] = np.arange(len(kept))
        self._index.keep(kept)
        self._times = grown(self._times[self._waiting.live()], 1024)
        self._waiting.compact(new_slots)
        self._versions.compact(new_slots)
        for store in stores:
            store.reserve(0, len(kept))

    def snapshot(self) -> StateDelta:
        base = self._waiting.wants_base or self._versions.rows.wants_base
        stores = {"left": self._waiting, "right": self._versions.rows}
        return StateDelta(base, {f"{n}.{part}": f for n, s in stores.items() for part, f in s.delta(base=base).items()})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        given = [d.frames for d in deltas]
        for port, name in enumerate(("left", "right")):
            parts = [{k.split(".")[1]: f for k, f in frames.items() if k.startswith(name)} for frames in given]
            rows = latest(parts)
            if rows is None:
                continue
            slots = self._slots(port, rows)
            if port == 1:
                self._versions.load(rows, slots)
                continue
            self._waiting.load(rows, slots)
            self._times = grown(milliseconds(rows[self._node.time]).copy(), 1024)


class VersionsOperator(Operator):
    """Puts out each row that is not before the last one of its key, as a version of it."""

    def __init__(self, node: Versions, ttl: int = 0) -> None:
        self._node = node
        self._slots = KeyedSlots({k: node.schema[k].type.polars for k in node.keys}, ttl)
        self._last = np.zeros(1024, dtype=np.int64)

    @property
    def state_rows(self) -> int:
        return len(self._slots)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        self._slots.drop(self._slots.expired(times.now))
        slots = self._slots.find(batch)
        self._last = grown(self._last, self._slots.used)
        kept = np.empty(len(batch), dtype=np.bool_)
        kernels.newest(slots, milliseconds(batch[self._node.time]), self._slots.live, self._last, kept)
        self._slots.touch(slots[kept], times.now)
        return [batch if kept.all() else batch.filter(pl.Series(kept))]

    def advance(self, times: Times) -> list[Batch]:
        self._slots.drop(self._slots.expired(times.now))
        if self._slots.worth_compacting:
            self._last = grown(self._last[self._slots.compact()], 1024)
        return []

    def snapshot(self) -> StateDelta:
        base, slots = self._slots.changed()
        frame = self._slots.columns(slots).with_columns(pl.Series(_LAST, self._last[slots]))
        return StateDelta(base, {"keys": frame} if len(frame) else {})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        for frame in (d.frames["keys"] for d in deltas if "keys" in d.frames):
            slots = self._slots.load(frame)
            self._last = grown(self._last, self._slots.used)
            self._last[slots] = frame[_LAST].to_numpy()
