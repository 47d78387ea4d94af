"""
Kernels of event time: windows are built from slices, the pieces between any two window edges.

A slice is known by its end. A tumbling window is one slice; a hopping one several, and a slice belongs to several windows;
a cumulating one begins with the first slice of its span and grows by one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.state.kernels import I64

TUMBLE, HOP, CUMULATE = 0, 1, 2
OPEN, LATE, PARTLY_LATE, NOWHERE = 0, 1, 2, 3


@njit(nogil=True, cache=True, inline="always")
def first_window_end(kind: int, slice_end: int, size: int, slide: int, offset: int) -> int:
    """Give the end of the first window that has a slice."""
    if kind == HOP:
        start = offset - ((offset - (slice_end - size)) // slide) * slide
        return start + size
    return slice_end


@njit(nogil=True, cache=True, inline="always")
def last_window_end(kind: int, slice_end: int, size: int, slide: int, offset: int) -> int:
    """Give the end of the last window that has a slice."""
    if kind == HOP:
        start = offset + ((slice_end - 1 - offset) // slide) * slide
        return start + size
    if kind == CUMULATE:
        return offset + ((slice_end - 1 - offset) // size) * size + size
    return slice_end


@njit(nogil=True, cache=True)
def assign_slices(
    times: I64,
    watermarks: I64,
    kind: int,
    size: int,
    slide: int,
    offset: int,
    length: int,
    ends: I64,
    state: npt.NDArray[np.int8],
) -> int:
    """
    Write each row's slice end and what becomes of it; give the number of rows that are not simply `OPEN`.

    `length` is that of a slice; `watermarks` has one entry for each row, or one for all. A row is `LATE` if its last
    window has passed (`window_end - 1 <= watermark`), `PARTLY_LATE` if its first has and its last has not, `NOWHERE` between the windows of a slide longer than the size.
    """
    late = 0
    single = watermarks.size == 1
    for i in range(times.size):
        end = offset + ((times[i] - offset) // length) * length + length
        ends[i] = end
        state[i] = OPEN
        watermark = watermarks[0] if single else watermarks[i]
        first = first_window_end(kind, end, size, slide, offset)
        last = last_window_end(kind, end, size, slide, offset)
        if first > last:
            late += 1
            state[i] = NOWHERE
        elif first - 1 <= watermark:
            late += 1
            state[i] = LATE if last - 1 <= watermark else PARTLY_LATE
    return late


@njit(nogil=True, cache=True)
def running_watermark(values: I64, start: int, before: I64) -> int:
    """Write the greatest value before each row, beginning with `start`; give the greatest of all."""
    top = start
    for i in range(values.size):
        before[i] = top
        top = max(top, values[i])
    return top
