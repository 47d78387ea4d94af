"""Kernels of versions: rows of a key that each hold from their time until the next one."""

from __future__ import annotations

import numpy as np
from numba import njit

from tailrace.state.kernels import I32, I64
from tailrace.state.text_kernels import Bools


@njit(nogil=True, cache=True)
def group(slots: I64, place: I32, groups: I64, distinct: I64) -> int:
    """
    Number the slots: `groups` gets the number of each, `distinct` the slot of each number; give how many there are.

    `place` is room by slot, -1 everywhere, before and after.
    """
    count = 0
    for i in range(slots.size):
        slot = slots[i]
        if place[slot] < 0:
            place[slot] = count
            distinct[count] = slot
            count += 1
        groups[i] = place[slot]
    for i in range(count):
        place[distinct[i]] = -1
    return count


@njit(nogil=True, cache=True)
def in_order(starts: I64, times: I64, rows: I64) -> None:
    """
    Sort the versions of each group by time, equal ones as they came.

    Group i is from `starts[i]` to `starts[i + 1]`, the one that came last first, as chains of rows give them.
    """
    for i in range(starts.size - 1):
        first, end = starts[i], starts[i + 1]
        times[first:end] = times[first:end][::-1].copy()
        rows[first:end] = rows[first:end][::-1].copy()
        for j in range(first + 1, end):
            if times[j] < times[j - 1]:
                order = np.argsort(times[first:end], kind="mergesort")
                times[first:end] = times[first:end][order]
                rows[first:end] = rows[first:end][order]
                break


@njit(nogil=True, cache=True)
def as_of(starts: I64, times: I64, groups: I64, wanted: I64, found: I64) -> None:
    """Find the place of the last version of each group that is not after the time wanted; -1 if there is none."""
    for i in range(groups.size):
        first = low = starts[groups[i]]
        high = starts[groups[i] + 1]
        while low < high:
            middle = (low + high) // 2
            if times[middle] <= wanted[i]:
                low = middle + 1
            else:
                high = middle
        found[i] = low - 1 if low > first else -1


@njit(nogil=True, cache=True)
def newest(slots: I64, times: I64, known: Bools, last: I64, kept: Bools) -> None:
    """Keep the rows that are not before the last one of their slot, and note their times."""
    for i in range(slots.size):
        slot = slots[i]
        kept[i] = not known[slot] or times[i] >= last[slot]
        if kept[i]:
            known[slot] = True
            last[slot] = times[i]
