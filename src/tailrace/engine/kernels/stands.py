"""Kernels of the row that stands at a key."""

from __future__ import annotations

from numba import njit

from tailrace.state.kernels import I64
from tailrace.state.text_kernels import Bools


@njit(nogil=True, cache=True)
def replace_rows(slots: I64, removed: Bools, numbers: I64, row_of: I64, before: I64) -> None:
    """
    Let rows come to their slots, and go from them, in order.

    `numbers` has the number of each row that comes, `row_of` that of the row that stands at a slot (-1: none); `before` gets
    the one that stood there when a row came or went.
    """
    for i in range(slots.size):
        slot = slots[i]
        before[i] = row_of[slot]
        row_of[slot] = -1 if removed[i] else numbers[i]
