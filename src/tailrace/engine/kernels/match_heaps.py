"""
Kernels of partial matches in heaps, the one with the earliest row at the top.

Of matches that begin with the same row, which may be complete at the same row too, it is the heap's order that decides which one
counts. Flink keeps them in Java's PriorityQueue; here they move as they do there.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tailrace.engine.kernels.pattern_conditions import START
from tailrace.state.kernels import I64

_BEHIND_ALL = 2**63 - 1


@njit(nogil=True, cache=True)
def key(record: I64) -> int:
    """Give what the heap is ordered by: the first row; a match that has none stands behind all."""
    return int(record[START]) if record[START] >= 0 else _BEHIND_ALL


@njit(nogil=True, cache=True)
def roomy(heap: I64, size: int) -> I64:
    """Give the heap with room for one more."""
    if size < heap.shape[0]:
        return heap
    out = np.empty((2 * heap.shape[0], heap.shape[1]), dtype=np.int64)
    out[:size] = heap[:size]
    return out


@njit(nogil=True, cache=True)
def push(heap: I64, size: int, record: I64) -> I64:
    """Put a record on a heap of `size`; give the heap, which may have been grown."""
    heap = roomy(heap, size)
    i, own = size, key(record)
    while i > 0 and own < key(heap[(i - 1) // 2]):
        heap[i] = heap[(i - 1) // 2]
        i = (i - 1) // 2
    heap[i] = record
    return heap


@njit(nogil=True, cache=True)
def _sink(heap: I64, size: int, i: int, record: I64) -> None:
    """Put a record into the place `i` or below it."""
    own = key(record)
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and key(heap[child]) > key(heap[child + 1]):
            child += 1
        if own <= key(heap[child]):
            break
        heap[i] = heap[child]
        i = child
    heap[i] = record


@njit(nogil=True, cache=True)
def pop(heap: I64, size: int, out: I64) -> int:
    """Take the earliest into `out`; give how many are left."""
    out[:] = heap[0]
    size -= 1
    if size > 0:
        _sink(heap, size, 0, heap[size].copy())
    return size


@njit(nogil=True, cache=True)
def prune(heap: I64, size: int, row: int) -> int:
    """Drop what begins before a row; give how many are left."""
    kept = 0
    for i in range(size):
        if key(heap[i]) >= row:
            if kept < i:
                heap[kept] = heap[i]
            kept += 1
    if kept < size:
        for i in range(kept // 2 - 1, -1, -1):
            _sink(heap, kept, i, heap[i].copy())
    return kept
