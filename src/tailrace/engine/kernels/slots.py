"""Kernels over slot numbers."""

from __future__ import annotations

from numba import njit

from tailrace.state.kernels import I64


@njit(nogil=True, cache=True)
def unique_slots(slots: I64, seen: I64, mark: int, out: I64) -> int:
    """Write each slot once, in the order of first rows; give how many. `seen[slot]` is set to `mark`."""
    count = 0
    for i in range(slots.size):
        slot = slots[i]
        if seen[slot] != mark:
            seen[slot] = mark
            out[count] = slot
            count += 1
    return count
