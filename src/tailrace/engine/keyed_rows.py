"""Checkpoints of rows by key: a store of rows, and the slots of their keys, which are written only if keys live for a time."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.state.delta import StateDelta
from tailrace.state.kernels import I64
from tailrace.state.row_store import RowStore, latest

_KEYS = "keys"


def snapshot(slots: KeyedSlots, store: RowStore) -> StateDelta:
    """Give what has changed since the last call."""
    if not slots.ttl:
        base = store.wants_base
        return StateDelta(base, store.delta(base=base))
    base, changed = slots.changed(base=store.wants_base)
    keys = slots.columns(changed)
    frames = store.delta(base=base)
    return StateDelta(base, frames | ({_KEYS: keys} if len(keys) else {}))


def restored(slots: KeyedSlots, deltas: Iterable[StateDelta]) -> tuple[pl.DataFrame, I64] | None:
    """Take up the keys of a base and the increments after it; give the rows with their slots, None if there are none."""
    given = [d.frames for d in deltas]
    for keys in (frames[_KEYS] for frames in given if _KEYS in frames):
        slots.load(keys)
    rows = latest(given)
    if rows is None:
        return None
    found = slots.find(rows)
    slots.live[found] = True
    return rows, found
