"""
Kernels of texts in state: from the views that Polars has into bytes of our own, and back by row number.

A view is two words: the length in the lower half of the first; a text of up to 12 bytes follows it in place, a longer one
is at the buffer and offset in the halves of the second word.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.state.kernels import I32, I64, U64
from tailrace.state.memory import copy

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

_SHORT = 12
_VIEW = 16
_LOWER = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@njit(nogil=True, cache=True)
def view_lengths(views: U64, valid: Bools, lengths: I32) -> int:
    """Write the length of each text (-1: NULL), and give the sum."""
    total = 0
    for i in range(lengths.size):
        lengths[i] = np.int32(views[2 * i] & _LOWER) if valid[i] else np.int32(-1)
        total += max(lengths[i], 0)
    return total


@njit(nogil=True, cache=True)
def copy_views(views: U64, buffers: I64, lengths: I32, starts: I64, data: Bytes, at: int) -> None:
    """Copy texts into `data` from `at` on; `buffers` are the addresses of the views' buffers."""
    here, to = views.ctypes.data, data.ctypes.data
    for i in range(lengths.size):
        starts[i] = at
        size = max(lengths[i], 0)
        if size <= _SHORT:
            copy(to + at, here + _VIEW * i + 4, size)
        else:
            place = views[2 * i + 1]
            copy(to + at, buffers[np.int64(place & _LOWER)] + np.int64(place >> _HALF), size)
        at += size


@njit(nogil=True, cache=True)
def text_offsets(numbers: I64, lengths: I32, offsets: I64) -> int:
    """Write where each text of these rows begins when they stand one after the other; give the number of NULLs."""
    nulls, total = 0, 0
    for i in range(numbers.size):
        offsets[i] = total
        size = lengths[numbers[i]]
        nulls += size < 0
        total += max(size, 0)
    offsets[numbers.size] = total
    return nulls


@njit(nogil=True, cache=True)
def copy_texts(numbers: I64, starts: I64, data: Bytes, offsets: I64, out: Bytes) -> None:
    """Copy the texts of these rows to their offsets in `out`."""
    here, to = data.ctypes.data, out.ctypes.data
    for i in range(numbers.size):
        copy(to + offsets[i], here + starts[numbers[i]], offsets[i + 1] - offsets[i])
