"""Kernel that puts the rows of each key together."""

from __future__ import annotations

from numba import njit

from tailrace.state.kernels import I64


@njit(nogil=True, cache=True)
def group_rows(slots: I64, numbers: I64, ends: I64, order: I64) -> None:
    """
    Write the rows in the order of the numbers of their slots, those of one slot in their own order.

    `numbers[slot]` counts the slots that there are from 0, `ends` is zeros for each, and becomes the row behind its last one.
    """
    for i in range(slots.size):
        ends[numbers[slots[i]]] += 1
    total = 0
    for n in range(ends.size):
        count = ends[n]
        ends[n] = total
        total += count
    for i in range(slots.size):
        n = numbers[slots[i]]
        order[ends[n]] = i
        ends[n] += 1
