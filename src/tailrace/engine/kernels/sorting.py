"""Kernel of sorting by time: which rows come after one that had to come after them."""

from __future__ import annotations

import numpy as np
from numba import njit

from tailrace.state.kernels import I64
from tailrace.state.text_kernels import Bools


@njit(nogil=True, cache=True)
def find_late(times: I64, watermarks: I64, due: I64, waiting: I64, last: int, late: Bools) -> int:
    """
    Mark rows that are not after the last one that was put out before them; give the greatest time put out.

    A row is put out when the watermark comes to its `due`; `watermarks` has the one before each row. The first of `due`
    are those of rows that wait from before, with the times `waiting`. `last` is the greatest time put out so far.
    """
    keys, values = np.empty(due.size, dtype=np.int64), np.empty(due.size, dtype=np.int64)
    size = 0
    for i in range(waiting.size):
        size = _push(keys, values, size, due[i], waiting[i])
    for i in range(times.size):
        while size > 0 and keys[0] <= watermarks[i]:
            last = max(last, values[0])
            size = _pop(keys, values, size)
        late[i] = times[i] <= last
        if not late[i]:
            size = _push(keys, values, size, due[waiting.size + i], times[i])
    return last


@njit(nogil=True, cache=True)
def _push(keys: I64, values: I64, size: int, key: int, value: int) -> int:
    """Put a pair on a heap with the least key at its top; give the pairs on it."""
    i = size
    while i > 0 and keys[(i - 1) // 2] > key:
        keys[i], values[i] = keys[(i - 1) // 2], values[(i - 1) // 2]
        i = (i - 1) // 2
    keys[i], values[i] = key, value
    return size + 1


@njit(nogil=True, cache=True)
def _pop(keys: I64, values: I64, size: int) -> int:
    """Take the top off the heap; give the pairs left on it."""
    size -= 1
    key, value = keys[size], values[size]
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[i], values[i] = keys[child], values[child]
        i = child
    keys[i], values[i] = key, value
    return size
