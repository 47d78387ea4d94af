"""Values counted by slot: what DISTINCT, and MIN and MAX of streams that take rows back, are made of."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.accumulators.base import Mask
from tailrace.engine.accumulators.chains import Chains
from tailrace.engine.kernels import multiset as kernels
from tailrace.state.index import KeyIndex
from tailrace.state.kernels import I64
from tailrace.state.keys import key_halves, with_number


class Multiset(Chains):
    """
    The values of each slot, with how often each is there: chains, and an index on (slot, value).

    Without `counted` a value that is there stays, and is counted once.

    >>> values = Multiset(pl.String())
    >>> values.reserve(1)
    >>> values.add(np.array([0, 0, 0]), pl.Series(["a", "b", "a"])).tolist()
    [True, True, False]
    """

    def __init__(self, dtype: pl.DataType, *, counted: bool = True) -> None:
        self._counted = counted
        super().__init__(dtype)

    def _clear(self) -> None:
        super()._clear()
        self._index = KeyIndex()

    def add(self, slots: I64, values: pl.Series, amounts: I64 | int = 1) -> Mask:
        """
        Count values (without NULL) into slots, or out of them where `amounts` are negative.

        Gives the rows by which a value came or went.
        """
        entries = self._entries(slots, values)
        changed = np.zeros(len(entries), dtype=np.bool_)
        if self._counted:
            each = np.broadcast_to(np.int64(amounts), len(entries))
            kernels.count(entries, each, self._counts, changed, self._dirty)
        else:
            kernels.mark(entries, self._counts, changed, self._dirty)
        return changed

    def _entries(self, slots: I64, values: pl.Series) -> I64:
        a, b = key_halves(pl.DataFrame({"value": values}))
        entries, fresh = self._index.slots(np.ascontiguousarray(a), with_number(b, slots))
        if len(fresh):
            self.append(slots[fresh], values[fresh])
        return entries

    def take(self, slots: I64, values: pl.Series, counts: I64) -> None:
        self.add(slots, values, counts)

    def merge(self, into: I64, slots: I64) -> tuple[I64, pl.Series]:
        """Count the values of slots into others; give the slots and values that came there."""
        rows = self.of(slots).sort("entry")
        targets, values = into[rows["place"].to_numpy()], rows["value"]
        came = self.add(targets, values, rows["count"].to_numpy())
        return targets[came], values.filter(pl.Series(came))
