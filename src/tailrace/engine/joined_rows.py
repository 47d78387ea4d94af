"""Rows of two stores side by side: which pairs match, and what a join of rows that only come puts out of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from tailrace.engine.batch import Batch
from tailrace.engine.join_output import JoinOutput
from tailrace.engine.operator import Operator, Times
from tailrace.engine.predicate import Predicate
from tailrace.expressions.nodes import columns
from tailrace.plan.nodes import Join
from tailrace.state.delta import StateDelta
from tailrace.state.index import KeyIndex
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves
from tailrace.state.row_store import RowStore, latest

PAIRS = 2_000_000
"""The pairs that are looked at in one go, which bounds the memory of a batch."""
SIDES = ("left", "right")
_LEFT, _RIGHT = "$left", "$right"


class JoinedRows:
    """
    What the operators of joins over inserts have in common: keys, the condition, and the output.

    `stores` keep the rows of both sides; pairs are given as row numbers of the left and of the right.
    """

    def __init__(self, node: Join, timezone: str) -> None:
        self.keys = tuple([getattr(k, side) for k in node.keys] for side in SIDES)
        self._strict = tuple([getattr(k, side) for k in node.keys if not k.null_safe] for side in SIDES)
        self._condition = Predicate(node.condition, timezone) if node.condition is not None else None
        self._asked = columns(node.condition) if node.condition is not None else set()
        self._output = JoinOutput(node, updates=False)
        self._schemas = tuple(n.schema.polars for n in node.inputs)
        self.keeps = (node.kind.keeps_left, node.kind.keeps_right)
        self.left_only = node.kind.left_only

    def schema(self, port: int, *more: str) -> dict[str, pl.DataType]:
        """Give the columns of a side that must be kept: those that are asked for or put out, keys, and `more`."""
        out = [] if self.left_only and port else self._output.columns[port]
        needed = {*self.keys[port], *self._asked, *out, *more}
        return {n: t for n, t in self._schemas[port].items() if n in needed}

    def incomplete(self, port: int, rows: Batch, *more: str) -> np.ndarray | None:
        """Tell which rows can have no match, as a key (or one of `more`) is NULL; None: all may have one."""
        names = [*self._strict[port], *more]
        if not names or not sum(rows[n].null_count() for n in names):
            return None
        return rows.select(pl.any_horizontal(pl.col(names).is_null())).to_series().to_numpy()

    def stored_incomplete(self, port: int, store: RowStore, rows: I64) -> np.ndarray | None:
        """Tell the same of kept rows."""
        return self.incomplete(port, store.gather(rows, self._strict[port])) if self._strict[port] else None

    def halves(self, port: int, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Give both halves of each row's key."""
        if not self.keys[port]:
            zeros = np.zeros(len(batch), dtype=np.uint64)
            return zeros, zeros
        a, b = key_halves(batch.select(self.keys[port]))
        return np.ascontiguousarray(a), np.ascontiguousarray(b)

    def matching(
        self, stores: tuple[RowStore, ...], left: I64, right: I64, times: Times, operator: Operator
    ) -> tuple[I64, I64]:
        """Give the pairs for which the condition is true."""
        if self._condition is None or not len(left):
            return left, right
        sides = [
            store.gather(rows, [n for n in schema if n in self._asked]).get_columns()
            for store, rows, schema in zip(stores, (left, right), self._schemas, strict=True)
        ]
        pairs = pl.DataFrame([*sides[0], *sides[1], pl.Series(_LEFT, left), pl.Series(_RIGHT, right)])
        passing = self._condition.passing(pairs, times, operator)
        return passing[_LEFT].to_numpy(), passing[_RIGHT].to_numpy()

    def put(self, stores: tuple[RowStore, ...], left: I64, right: I64) -> None:
        """Put out pairs."""
        frames = [
            s.gather(r, self._output.columns[p]) for p, (s, r) in enumerate(zip(stores, (left, right), strict=True))
        ]
        self._output.put((frames[0], frames[1]), np.zeros(len(left), dtype=np.bool_))

    def put_alone(self, port: int, rows: Batch) -> None:
        """Put out rows of one side, with NULLs for the other."""
        self._output.put((rows, None) if port == 0 else (None, rows), np.zeros(len(rows), dtype=np.bool_))

    def put_stored(self, port: int, store: RowStore, rows: I64) -> None:
        """Put out kept rows of one side, with NULLs for the other."""
        if len(rows):
            self.put_alone(port, store.gather(rows, self._output.columns[port]))

    def batches(self) -> list[Batch]:
        """Give all that was put out, and begin anew."""
        return self._output.batches()


def stored_changes(stores: tuple[RowStore, ...]) -> tuple[bool, dict[str, pl.DataFrame]]:
    """Give what has changed of the rows of both sides, and whether that is all of them."""
    base = any(s.wants_base for s in stores)
    frames = {
        f"{name}.{part}": frame
        for name, store in zip(SIDES, stores, strict=True)
        for part, frame in store.delta(base=base).items()
    }
    return base, frames


def stored_rows(deltas: Sequence[StateDelta]) -> Iterator[tuple[int, pl.DataFrame]]:
    """Give the rows of each side that has some, after a base and the deltas behind it."""
    for port, name in enumerate(SIDES):
        rows = latest([{k.split(".")[1]: f for k, f in d.frames.items() if k.startswith(name)} for d in deltas])
        if rows is not None and len(rows):
            yield port, rows


def compact(index: KeyIndex, stores: tuple[RowStore, ...]) -> I64:
    """Forget dropped rows and the keys that have none left; give the slots that stay, which are numbered anew in this order."""
    used = np.zeros(len(index), dtype=np.bool_)
    for store in stores:
        used |= store.used_slots(len(index))
    kept = np.flatnonzero(used)
    new_slots = np.full(len(index), -1)
    new_slots[kept] = np.arange(len(kept))
    index.keep(kept)
    for store in stores:
        store.compact(new_slots)
        store.reserve(0, len(kept))
    return kept
