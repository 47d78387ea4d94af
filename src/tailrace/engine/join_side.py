"""One side of a join: the rows that are there, and what a batch changes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.engine.batch import KIND, Batch
from tailrace.engine.changes import REMOVED
from tailrace.state.kernels import I64
from tailrace.state.row_identity import RowIdentity
from tailrace.state.row_store import RowStore


@dataclass(frozen=True, slots=True)
class Changes:
    """
    What a batch changes of a side: rows without row kinds, first those that are taken back.

    `slots` are those of the rows' keys, `removed` tells which rows are taken back.
    """

    rows: Batch
    slots: I64
    removed: np.ndarray

    def __len__(self) -> int:
        return len(self.slots)

    def take(self, chosen: np.ndarray) -> Changes:
        """Give some of the changes, by places or a mask."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return Changes(self.rows[places], self.slots[places], self.removed[places])

    @staticmethod
    def of(batch: Batch, slots: I64) -> Changes:
        """Take the changes of a batch, in its order."""
        if KIND not in batch.columns:
            return Changes(batch, slots, np.zeros(len(batch), dtype=np.bool_))
        return Changes(batch.drop(KIND), slots, batch[KIND].is_in(REMOVED).to_numpy())


class JoinSide:
    """
    The rows of one side, by key.

    `identity` are the columns that tell a row that is taken back (None: never is one): all, or with `unique` a key of
    the rows. As a `set` rows that are equal count as one.
    """

    def __init__(
        self,
        schema: dict[str, pl.DataType],
        identity: Sequence[str] | None,
        *,
        unique: bool = False,
        as_set: bool = False,
        ttl: int = 0,
    ) -> None:
        self._schema = schema
        # texts are not copied where rows only come; numbers are found faster in arrays of their own
        texts = any(not t.is_numeric() and not t.is_temporal() for t in schema.values())
        self.store = RowStore(schema, ttl, as_batches=identity is None and texts)
        self.as_set = as_set
        self._identity = None if identity is None else RowIdentity(identity, unique=unique)

    def reserve(self, rows: int, slots: int) -> None:
        """Make room for this many more rows, and for slots up to this one."""
        self.store.reserve(rows, slots)

    def net(self, changes: Changes) -> Changes:
        """Give the changes of rows that are not kept, without those that cancel each other."""
        if not changes.removed.any() or changes.removed.all():
            return changes
        identity = RowIdentity(list(self._schema), unique=False)
        return changes.take(identity.net(identity.find(changes.rows, changes.slots), changes.removed))

    def apply(self, changes: Changes, now: int) -> tuple[Changes, I64]:
        """
        Change the rows; give the changes that count, removals first, and the number of each new row (-1: it is not new).

        The matches of new rows are not known yet.
        """
        if self._identity is None:
            return changes, self.store.append(changes.rows, changes.slots, now)
        identities = self._identity.find(changes.rows, changes.slots)
        keep = self._identity.net(identities, changes.removed)
        order = np.concatenate([np.flatnonzero(keep & changes.removed), np.flatnonzero(keep & ~changes.removed)])
        return self._change(changes.take(order), identities[order], self._identity, now)

    def _change(self, changes: Changes, identities: I64, identity: RowIdentity, now: int) -> tuple[Changes, I64]:
        gone = int(np.count_nonzero(changes.removed))
        ended = identity.remove(self.store, identities[:gone], now)
        added = changes.rows[gone:], changes.slots[gone:], identities[gone:]
        numbers, fresh = identity.add(self.store, *added, now)
        new = np.concatenate([np.full(gone, -1), np.where(fresh, numbers, -1)])
        if not self.as_set:
            return changes, new
        counts = np.concatenate([ended, fresh])
        return changes.take(counts), new[counts]

    def weights(self, rows: I64) -> I64:
        """Tell how often each row counts as a match."""
        return np.ones(len(rows), dtype=np.int64) if self.as_set else self.store.copies[rows].astype(np.int64)

    @property
    def worth_compacting(self) -> bool:
        """Tell that most of what is kept is of no use any more."""
        crowded = self._identity is not None and self._identity.crowded(self.store)
        return self.store.worth_compacting or crowded

    def compact(self, new_slots: I64) -> None:
        """Number rows anew without the dropped ones."""
        self._rebuild(self.store.compact(new_slots))

    def load(self, rows: pl.DataFrame, slots: I64) -> None:
        """Take up the rows of a checkpoint."""
        self.store.load(rows, slots)
        self._rebuild(slots)

    def _rebuild(self, slots: I64) -> None:
        if self._identity is not None:
            self._identity.rebuild(self.store, slots)
