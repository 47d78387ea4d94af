"""Kernels of values counted by slot: each slot has a chain of entries, an entry is a value and how often it is there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.state.kernels import I64


@njit(nogil=True, cache=True)
def link(first: int, entry_slots: I64, following: I64, heads: I64) -> None:
    """Put the entries from `first` on into the chains of their slots."""
    for entry in range(first, entry_slots.size):
        slot = entry_slots[entry]
        following[entry] = heads[slot]
        heads[slot] = entry


@njit(nogil=True, cache=True)
def count(
    entries: I64, amounts: I64, counts: I64, changed: npt.NDArray[np.bool_], dirty: npt.NDArray[np.bool_]
) -> None:
    """Count each row's entry up or down; mark the rows by which a value came or went, and the entries."""
    for i in range(entries.size):
        entry = entries[i]
        before = counts[entry] > 0
        counts[entry] += amounts[i]
        changed[i] = before != (counts[entry] > 0)
        dirty[entry] = True


@njit(nogil=True, cache=True)
def mark(entries: I64, counts: I64, changed: npt.NDArray[np.bool_], dirty: npt.NDArray[np.bool_]) -> None:
    """Let each row's entry be there; mark the rows by which a value came, and their entries."""
    for i in range(entries.size):
        entry = entries[i]
        if counts[entry] == 0:
            counts[entry] = 1
            changed[i] = True
            dirty[entry] = True


@njit(nogil=True, cache=True)
def chain_lengths(slots: I64, heads: I64, following: I64, counts: I64) -> int:
    """Give how many entries that are there the chains of these slots have."""
    total = 0
    for i in range(slots.size):
        entry = heads[slots[i]]
        while entry >= 0:
            total += counts[entry] > 0
            entry = following[entry]
    return total


@njit(nogil=True, cache=True)
def walk_chains(slots: I64, heads: I64, following: I64, counts: I64, places: I64, entries: I64) -> None:
    """Write the entries of these slots that are there, each with the place of its slot in `slots`."""
    at = 0
    for i in range(slots.size):
        entry = heads[slots[i]]
        while entry >= 0:
            if counts[entry] > 0:
                places[at] = i
                entries[at] = entry
                at += 1
            entry = following[entry]


@njit(nogil=True, cache=True)
def empty_chains(slots: I64, heads: I64, following: I64, counts: I64, dirty: npt.NDArray[np.bool_]) -> int:
    """Let nothing be there any more in the chains of these slots; give how many entries that concerns."""
    gone = 0
    for i in range(slots.size):
        entry = heads[slots[i]]
        while entry >= 0:
            if counts[entry] > 0:
                gone += 1
                counts[entry] = 0
                dirty[entry] = True
            entry = following[entry]
    return gone
