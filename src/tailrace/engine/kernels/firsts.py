"""Kernels of first rows: which row of a batch is the first of its key."""

from __future__ import annotations

from numba import njit

from tailrace.state.kernels import I64
from tailrace.state.text_kernels import Bools


@njit(nogil=True, cache=True)
def first_rows(slots: I64, seen: Bools, rows: I64) -> int:
    """Write the first row of each slot that is not seen yet, and mark it as seen; give how many there are."""
    count = 0
    for i in range(slots.size):
        if not seen[slots[i]]:
            seen[slots[i]] = True
            rows[count] = i
            count += 1
    return count


@njit(nogil=True, cache=True)
def earliest_rows(
    slots: I64, times: I64, watermarks: I64, known: Bools, first: I64, chosen: I64, late: Bools, rows: I64
) -> int:
    """
    Find the earliest row of each slot, of equal ones the first that came; give how many slots have a new one.

    `first` is the time of the earliest row of a slot that is `known`, and `chosen` by slot the row of this batch that is
    it (-1: an earlier batch has it). `rows` gets the new earliest rows, in no order. A row before its watermark is
    `late`, unless one that is not later is known already.
    """
    for i in range(slots.size):
        chosen[slots[i]] = -1
    single = watermarks.size == 1
    for i in range(slots.size):
        slot, time = slots[i], times[i]
        late[i] = False
        if known[slot] and first[slot] <= time:
            continue
        if time < (watermarks[0] if single else watermarks[i]):
            late[i] = True
            continue
        known[slot], first[slot], chosen[slot] = True, time, i
    count = 0
    for i in range(slots.size):
        if chosen[slots[i]] == i:
            rows[count] = i
            count += 1
    return count
