"""The loops over the bytes of a file that find where its rows end."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel, part
from tailrace.formats.kernels.memory import byte, load64, trailing_zeros

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_FEEDS = np.uint64(0x0A0A0A0A0A0A0A0A)


@part
def _feed(i: int, stop: int) -> int:
    """Give the address of the next line feed, `stop` if there is none."""
    while i + 8 <= stop:
        word = load64(i) ^ _FEEDS
        found = (word - _ONES) & ~word & _HIGH
        if found:
            i += trailing_zeros(found) >> 3
            return i
        i += 8
    while i < stop and byte(i) != 10:
        i += 1
    return i


@kernel
def line_bounds(
    first: int, size: int, last: bool, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[int, int]:
    """
    Write where each line of the bytes at an address begins and ends; give their number and the bytes that they use.

    The number is -1 if there is no room for all. A carriage return before a line feed is no part of the line. With `last`,
    what follows the last line feed is a line too.
    """
    stop = first + size
    start, count = first, 0
    while start < stop:
        feed = _feed(start, stop)
        if feed == stop and not last:
            break
        if count == starts.size:
            return -1, 0
        starts[count] = start - first
        ends[count] = feed - first - (start < feed and byte(feed - 1) == 13)
        count += 1
        start = feed + 1
    return count, min(start, stop) - first


@numba.njit(cache=True, nogil=True)
def feeds_outside_quotes(
    data: npt.NDArray[np.uint8], quote: int, escape: int, delimiter: int, feeds: npt.NDArray[np.int64]
) -> int:
    """Write the places of line feeds that end a row into `feeds`, and give their number; `escape` is -1 for none."""
    count = 0
    at_start = True
    quoted = False
    i = 0
    size = len(data)
    while i < size:
        byte = data[i]
        if quoted:
            if byte == escape:
                i += 1
            elif byte == quote:
                if i + 1 < size and data[i + 1] == quote:
                    i += 1
                else:
                    quoted = False
        elif byte == 10:
            feeds[count] = i
            count += 1
            at_start = True
        elif byte == quote and at_start:
            quoted = True
            at_start = False
        else:
            at_start = byte == delimiter
        i += 1
    return count
