"""
Kernels of the key index: an open-addressing hash table from 128-bit keys to dense slot numbers.

The table holds the first half of a key and its slot; the second half stands by slot. Probing is linear.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]

_MIX = np.uint64(0x9E3779B97F4A7C15)
_MIX_2 = np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(32)
_ONE = np.uint64(1)


@njit(nogil=True, cache=True, inline="always")
def _start(a: np.uint64, b: np.uint64, mask: np.uint64) -> np.uint64:
    """Give the place in the table where the probing of a key begins."""
    h = (a ^ (b * _MIX_2)) * _MIX
    return (h ^ (h >> _SHIFT)) & mask


@njit(nogil=True, cache=True)
def find_or_insert(
    a: U64, b: U64, row: int, table_a: U64, table_slot: I32, slot_a: U64, slot_b: U64, used: int, slots: I64, fresh: I64
) -> tuple[int, int]:
    """
    Write the slot of each key (a[i], b[i]) from `row` on into `slots`; keys not seen before get the next free slots.

    `fresh[slot]` is then the row of such a key. Stops at a new key when half the table or all of `slot_a` is used;
    gives the slots used now and the row to go on with (the number of rows when all are done).
    """
    mask = np.uint64(table_slot.size - 1)
    limit = min(table_slot.size // 2, slot_a.size)
    while row < a.size:
        p = _start(a[row], b[row], mask)
        while True:
            slot = table_slot[p]
            if slot < 0:
                if used == limit:
                    return used, row
                table_a[p] = a[row]
                table_slot[p] = used
                slot_a[used] = a[row]
                slot_b[used] = b[row]
                fresh[used] = row
                slots[row] = used
                used += 1
                break
            if table_a[p] == a[row] and slot_b[slot] == b[row]:
                slots[row] = slot
                break
            p = (p + _ONE) & mask
        row += 1
    return used, row


@njit(nogil=True, cache=True)
def rebuild(slot_a: U64, slot_b: U64, used: int, table_a: U64, table_slot: I32) -> None:
    """Fill an empty table with the keys of all used slots."""
    mask = np.uint64(table_slot.size - 1)
    for slot in range(used):
        p = _start(slot_a[slot], slot_b[slot], mask)
        while table_slot[p] >= 0:
            p = (p + _ONE) & mask
        table_a[p] = slot_a[slot]
        table_slot[p] = slot


@njit(nogil=True, cache=True)
def mix_in(a: U64, number: U64, out: U64) -> None:
    """Combine hashes with a further 64-bit value each, into `out`."""
    for i in range(a.size):
        h = (number[i] + _MIX) * _MIX_2
        out[i] = a[i] ^ (h ^ (h >> _SHIFT))
