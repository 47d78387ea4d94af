"""
Kernels of partial matches in heaps, the one with the earliest row at the top.

Of matches that begin with the same row, which may be complete at the same row too, it is the heap's order that decides which one
counts. Flink keeps them in Java's PriorityQueue; here they move as they do there.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tailrace.engine.kernels.pattern_conditions import START, ZERO
from tailrace.state.kernels import I64

_BEHIND_ALL = 2**63 - 1


@njit(nogil=True, cache=True)
def copy(source: I64, i: int, target: I64, j: int) -> None:
    """Copy the record i of one array to the place j of another."""
    for column in range(source.shape[1]):
        target[j, column] = source[i, column]


@njit(nogil=True, cache=True)
def key(heap: I64, i: int) -> int:
    """Give what the heap is ordered by: the first row; a match that has none stands behind all."""
    return heap[i, START] if heap[i, START] >= 0 else _BEHIND_ALL


@njit(nogil=True, cache=True)
def roomy(heap: I64, size: int) -> I64:
    """Give the array with room for one more record, and for one to hold on to, behind the `size` that it has."""
    if size + 1 < heap.shape[0]:
        return heap
    out = np.empty((2 * heap.shape[0], heap.shape[1]), dtype=np.int64)
    for i in range(size):
        copy(heap, i, out, i)
    return out


@njit(nogil=True, cache=True)
def rise(heap: I64, size: int) -> None:
    """Put the record behind a heap of `size` where it belongs; there is room for one more behind it."""
    own, i = key(heap, size), size
    if i == 0 or own >= key(heap, (i - 1) // 2):
        return
    copy(heap, size, heap, size + 1)
    while i > 0 and own < key(heap, (i - 1) // 2):
        copy(heap, (i - 1) // 2, heap, i)
        i = (i - 1) // 2
    copy(heap, size + 1, heap, i)


@njit(nogil=True, cache=True)
def push(heap: I64, size: int, records: I64, place: int) -> I64:
    """Put the record of a place on a heap of `size`; give the heap, which may have been grown."""
    heap = roomy(heap, size + 1)
    copy(records, place, heap, size)
    rise(heap, size)
    return heap


@njit(nogil=True, cache=True)
def _sink(heap: I64, size: int, i: int, place: int) -> None:
    """Put the record of a place, which no longer counts, where it belongs, at i or below."""
    own = key(heap, place)
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and key(heap, child) > key(heap, child + 1):
            child += 1
        if own <= key(heap, child):
            break
        copy(heap, child, heap, i)
        i = child
    copy(heap, place, heap, i)


@njit(nogil=True, cache=True)
def pop(heap: I64, size: int, out: I64) -> int:
    """Take the earliest into `out`; give how many are left."""
    copy(heap, 0, out, 0)
    if size > 1:
        _sink(heap, size - 1, ZERO, size - 1)
    return size - 1


@njit(nogil=True, cache=True)
def prune(heap: I64, size: int, row: int) -> int:
    """Drop what begins before a row; give how many are left. There is room for one record behind them."""
    kept = ZERO
    for i in range(size):
        if key(heap, i) >= row:
            if kept < i:
                copy(heap, i, heap, kept)
            kept += 1
    if kept < size:
        for i in range(kept // 2 - 1, -1, -1):
            copy(heap, i, heap, kept)
            _sink(heap, kept, i, kept)
    return kept
