"""
Kernels of stored rows: chains of rows by slot, pairs of what matches, and which changes of a batch are left of it.

The rows of a slot form a chain: `head` of the slot, then `following` of each row, -1 at the end.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tailrace.state.kernels import I32, I64
from tailrace.state.text_kernels import Bools

I8 = np.ndarray
_END = np.int32(-1)


@njit(nogil=True, cache=True)
def link(first: int, slots: I64, slot: I32, following: I32, preceding: I32, head: I32, sizes: I32) -> None:
    """Put the rows from `first` on at the head of the chains of their slots."""
    for i in range(slots.size):
        row, own = first + i, slots[i]
        old = head[own]
        slot[row], following[row], preceding[row] = own, old, _END
        if old != _END:
            preceding[old] = row
        head[own] = row
        sizes[own] += 1


@njit(nogil=True, cache=True)
def unlink(rows: I64, slot: I32, following: I32, preceding: I32, head: I32, sizes: I32) -> None:
    """Take rows out of their chains."""
    for row in rows:
        own, before, after = slot[row], preceding[row], following[row]
        if before == _END:
            head[own] = after
        else:
            following[before] = after
        if after != _END:
            preceding[after] = before
        sizes[own] -= 1


@njit(nogil=True, cache=True)
def move(rows: I64, slots: I64, slot: I32, following: I32, preceding: I32, head: I32, sizes: I32) -> None:
    """Put rows at the head of the chains of other slots."""
    unlink(rows, slot, following, preceding, head, sizes)
    for i in range(rows.size):
        row, own = rows[i], slots[i]
        old = head[own]
        slot[row], following[row], preceding[row] = own, old, _END
        if old != _END:
            preceding[old] = row
        head[own] = row
        sizes[own] += 1


@njit(nogil=True, cache=True)
def pair(slots: I64, head: I32, following: I32, at: I64, rows: I64) -> None:
    """Write each pair of a place in `slots` and a row of that slot; there is room for all."""
    count = 0
    for i in range(slots.size):
        row = head[slots[i]]
        while row != _END:
            at[count], rows[count] = i, row
            count += 1
            row = following[row]


@njit(nogil=True, cache=True)
def pair_near(slots: I64, low: I64, high: I64, head: I32, following: I32, times: I64, at: I64, rows: I64) -> int:
    """
    Write each pair of a place in `slots` and a row of that slot with a time from the place's `low` to its `high`.

    There is room for all rows of the slots. Gives how many pairs there are.
    """
    count = 0
    for i in range(slots.size):
        row = head[slots[i]]
        while row != _END:
            if low[i] <= times[row] <= high[i]:
                at[count], rows[count] = i, row
                count += 1
            row = following[row]
    return count


@njit(nogil=True, cache=True)
def net_of_unique(identities: I64, removed: Bools, first: I32, last: I32, keep: Bools) -> None:
    """
    Keep of the changes of each identity, which has one row at a time, the first if it removes and the last if it adds.

    `first` and `last` are room by identity.
    """
    for i in range(identities.size):
        last[identities[i]] = i
    for i in range(identities.size - 1, -1, -1):
        first[identities[i]] = i
    for i in range(identities.size):
        one = first if removed[i] else last
        keep[i] = one[identities[i]] == i


@njit(nogil=True, cache=True)
def net_of_equal(identities: I64, removed: Bools, sums: I32, keep: Bools) -> None:
    """Keep of the changes of each identity, whose rows are all equal, as many as do not cancel each other."""
    for i in range(identities.size):
        sums[identities[i]] = 0
    for i in range(identities.size):
        sums[identities[i]] += -1 if removed[i] else 1
    for i in range(identities.size):
        sign = -1 if removed[i] else 1
        keep[i] = sums[identities[i]] * sign > 0
        if keep[i]:
            sums[identities[i]] -= sign


@njit(nogil=True, cache=True)
def remove(identities: I64, row_of: I32, copies: I32, gone: I64, ended: Bools) -> int:
    """Take one copy off the row of each identity; rows without a copy left are written to `gone`, and marked."""
    count = 0
    for i in range(identities.size):
        row = row_of[identities[i]]
        ended[i] = False
        if row == _END or copies[row] == 0:
            continue
        copies[row] -= 1
        if copies[row] == 0:
            gone[count] = row
            count += 1
            row_of[identities[i]] = _END
            ended[i] = True
    return count


@njit(nogil=True, cache=True)
def add(identities: I64, row_of: I32, copies: I32, following: int, rows: I64, fresh: Bools) -> int:
    """
    Add a copy to the row of each identity; those without one get the rows from `following` on.

    `copies` must have room for them. Gives the row behind the last new one.
    """
    for i in range(identities.size):
        row = row_of[identities[i]]
        fresh[i] = row == _END or copies[row] == 0
        if fresh[i]:
            row = following
            following += 1
            row_of[identities[i]] = row
            copies[row] = 0
        copies[row] += 1
        rows[i] = row
    return following


@njit(nogil=True, cache=True)
def add_at(counts: I32, places: I64, values: I64) -> None:
    """Add each value at its place."""
    for i in range(places.size):
        counts[places[i]] += values[i]
