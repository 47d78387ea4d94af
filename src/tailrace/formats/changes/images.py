"""The rows within envelopes: which there are, and what each means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tailrace.engine.batch import RowKind
from tailrace.formats.base import Rows
from tailrace.formats.kernels import json_lists as kernel

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
INSERT, UPDATE, DELETE, IGNORED, UNKNOWN = range(5)
"""What an envelope says was done."""


@dataclass(frozen=True, slots=True)
class Images:
    """The rows within envelopes: each with its kind and the number of its envelope."""

    rows: Rows
    kinds: npt.NDArray[np.int8]
    numbers: Numbers


def images_of(done: npt.NDArray[np.int8], good: Mask, before: Rows, after: Rows, removed: Rows) -> Images:
    """Give the rows of good envelopes: of an update the one before and the new one."""
    counts = np.where(good, np.where(done == UPDATE, 2, 1), 0)
    numbers = np.repeat(np.arange(len(done)), counts)
    second = np.append(False, numbers[1:] == numbers[:-1])[: len(numbers)]
    of = done[numbers]
    kinds = np.select(
        [of == INSERT, of == DELETE, second], [RowKind.INSERT, RowKind.DELETE, RowKind.UPDATE_AFTER], RowKind.UPDATE_BEFORE
    ).astype(np.int8)  # fmt: skip
    old, new = kinds == RowKind.UPDATE_BEFORE, (kinds == RowKind.INSERT) | (kinds == RowKind.UPDATE_AFTER)
    starts, ends = (
        np.where(old, b[numbers], np.where(new, a[numbers], r[numbers]))
        for b, a, r in ((before.starts, after.starts, removed.starts), (before.ends, after.ends, removed.ends))
    )
    return Images(Rows(after.data, starts, ends), kinds, numbers)


@dataclass(frozen=True, slots=True)
class Lists:
    """Arrays of rows, one for each envelope: all their elements, one array's behind another's."""

    rows: Rows
    counts: Numbers

    @classmethod
    def of(cls, texts: Rows) -> Lists:
        """Take arrays apart; a text that is none has a count below zero."""
        counts = np.empty(len(texts), dtype=np.int64)
        starts, ends = np.empty(len(texts), dtype=np.int64), np.empty(len(texts), dtype=np.int64)
        while True:
            total = kernel.elements(texts.data, texts.starts, texts.ends, counts, starts, ends)
            if total <= len(starts):
                return cls(Rows(texts.data, starts[:total], ends[:total]), counts)
            starts, ends = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)

    def taken(self, some: Mask) -> Rows:
        """Give the elements of some arrays."""
        chosen = some[self.owners()]
        return Rows(self.rows.data, self.rows.starts[chosen], self.rows.ends[chosen])

    def owners(self) -> Numbers:
        """Give the array of each element."""
        return np.repeat(np.arange(len(self.counts)), np.maximum(self.counts, 0))


def listed_images(done: npt.NDArray[np.int8], good: Mask, before: Lists, after: Lists) -> Images:
    """Give the rows of good envelopes that have several each; those of an update have as many before as after it."""
    new, old = after.taken(good), before.taken(good & (done == UPDATE))
    owners = after.owners()
    owners = owners[good[owners]]
    updated = np.flatnonzero(done[owners] == UPDATE)
    starts, ends = new.starts.copy(), new.ends.copy()
    starts[updated], ends[updated] = old.starts, old.ends
    found = images_of(done[owners], np.ones(len(owners), dtype=np.bool_), Rows(new.data, starts, ends), new, new)
    return Images(found.rows, found.kinds, owners[found.numbers])
