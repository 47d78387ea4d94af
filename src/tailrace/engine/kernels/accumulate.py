"""
Kernels that fold values into accumulators by slot.

`use` marks the rows that count; `sign` is 1 to add them and -1 to take them back.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.state.kernels import I64, U64

Mask = npt.NDArray[np.bool_]

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@njit(nogil=True, cache=True)
def count_all(slots: I64, sign: int, counts: I64) -> None:
    """Count rows by slot."""
    for i in range(slots.size):
        counts[slots[i]] += sign


@njit(nogil=True, cache=True)
def count_used(slots: I64, use: Mask, sign: int, counts: I64) -> None:
    """Count the marked rows by slot."""
    for i in range(slots.size):
        counts[slots[i]] += sign * use[i]


@njit(nogil=True, cache=True)
def sum_all(slots: I64, values: np.ndarray, sign: int, sums: np.ndarray, counts: I64) -> None:
    """Add values and count them by slot; integers wrap."""
    for i in range(slots.size):
        s = slots[i]
        sums[s] += sign * values[i]
        counts[s] += sign


@njit(nogil=True, cache=True)
def sum_used(slots: I64, values: np.ndarray, use: Mask, sign: int, sums: np.ndarray, counts: I64) -> None:
    """Add the marked values and count them by slot; integers wrap."""
    for i in range(slots.size):
        if use[i]:
            s = slots[i]
            sums[s] += sign * values[i]
            counts[s] += sign


@njit(nogil=True, cache=True)
def sum_128(slots: I64, pairs: U64, use: Mask, sign: int, sum_low: U64, sum_high: U64, counts: I64) -> None:
    """Add the marked (an empty `use`: all) 128-bit integers, each a pair of its lower and upper half, by slot."""
    everything = use.size == 0
    for i in range(slots.size):
        if everything or use[i]:
            s = slots[i]
            a, b = pairs[i, 0], pairs[i, 1]
            if sign < 0:
                a, b = ~a + _ONE, ~b + np.uint64(a == _ZERO)
            total = sum_low[s] + a
            sum_low[s] = total
            sum_high[s] += b + np.uint64(total < a)
            counts[s] += sign


@njit(nogil=True, cache=True)
def least(slots: I64, values: np.ndarray, use: Mask, extremes: np.ndarray, counts: I64) -> None:
    """Keep the least of the marked values by slot."""
    for i in range(slots.size):
        if use[i]:
            s = slots[i]
            if counts[s] == 0 or values[i] < extremes[s]:
                extremes[s] = values[i]
            counts[s] += 1


@njit(nogil=True, cache=True)
def greatest(slots: I64, values: np.ndarray, use: Mask, extremes: np.ndarray, counts: I64) -> None:
    """Keep the greatest of the marked values by slot."""
    for i in range(slots.size):
        if use[i]:
            s = slots[i]
            if counts[s] == 0 or values[i] > extremes[s]:
                extremes[s] = values[i]
            counts[s] += 1


@njit(nogil=True, cache=True)
def add_slots(into: I64, slots: I64, sign: int, values: np.ndarray) -> None:
    """Add the value of each slot to that of another, or take it away."""
    for i in range(slots.size):
        values[into[i]] += sign * values[slots[i]]


@njit(nogil=True, cache=True)
def add_slots_128(into: I64, slots: I64, sign: int, low: U64, high: U64) -> None:
    """Add the 128-bit integer of each slot to that of another, or take it away."""
    for i in range(slots.size):
        a, b = low[slots[i]], high[slots[i]]
        if sign < 0:
            a, b = ~a + _ONE, ~b + np.uint64(a == _ZERO)
        total = low[into[i]] + a
        low[into[i]] = total
        high[into[i]] += b + np.uint64(total < a)


@njit(nogil=True, cache=True)
def extreme_of_slots(into: I64, slots: I64, least: bool, extremes: np.ndarray, counts: I64) -> None:
    """Let each slot's extreme count for another."""
    for i in range(slots.size):
        a, b = into[i], slots[i]
        if counts[b] > 0:
            better = extremes[b] < extremes[a] if least else extremes[b] > extremes[a]
            if counts[a] == 0 or better:
                extremes[a] = extremes[b]
            counts[a] += counts[b]


@njit(nogil=True, cache=True)
def find_known(slots: I64, removed: Mask, counts: I64, room: I64, known: Mask) -> None:
    """Tell of each row whether it counts: one that is taken back from a slot without rows does not. `room` is by slot."""
    for i in range(slots.size):
        room[slots[i]] = counts[slots[i]]
    for i in range(slots.size):
        slot = slots[i]
        known[i] = not removed[i] or room[slot] > 0
        if known[i]:
            room[slot] += -1 if removed[i] else 1
