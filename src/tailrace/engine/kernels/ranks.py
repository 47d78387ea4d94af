"""
Kernels of places: rows of one group in their order, with those that were there before and those that come.

Rows are compared by rows of codes. Rows that are equal stand as they came: those that were there before first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tailrace.state.kernels import I64


@njit(nogil=True, cache=True, inline="always")
def _is_less(a: I64, i: int, b: I64, j: int) -> bool:
    """Tell whether row i of `a` stands before row j of `b`."""
    for k in range(a.shape[1]):
        if a[i, k] != b[j, k]:
            return bool(a[i, k] < b[j, k])
    return False


@njit(nogil=True, cache=True)
def _sort(codes: I64, rows: I64, start: int, stop: int, room: I64) -> None:
    """Order rows[start:stop], equal ones as they stand; `room` is as long as `rows`."""
    for low in range(start, stop, 8):
        high = min(low + 8, stop)
        for i in range(low + 1, high):
            row, j = rows[i], i
            while j > low and _is_less(codes, row, codes, rows[j - 1]):
                rows[j] = rows[j - 1]
                j -= 1
            rows[j] = row
    width = 8
    while width < stop - start:
        for low in range(start, stop, 2 * width):
            middle, high = min(low + width, stop), min(low + 2 * width, stop)
            i, j = low, middle
            for k in range(low, high):
                if i < middle and (j >= high or not _is_less(codes, rows[j], codes, rows[i])):
                    room[k] = rows[i]
                    i += 1
                else:
                    room[k] = rows[j]
                    j += 1
        rows[start:stop] = room[start:stop]
        width *= 2


@njit(nogil=True, cache=True)
def merge(
    old_codes: I64, old_ends: I64, codes: I64, groups: I64, most: int, old_places: I64, places: I64, counts: I64
) -> None:
    """
    Write the place of each row in its group: of the old ones, which are in their order by group, and of the new.

    `old_ends` has where the old rows of each group end, `groups` the group of each new row. A row has place 0 if `most` others
    stand before it; `counts` gets the rows with a place by group.
    """
    size = old_ends.size
    ends = np.zeros(size, dtype=np.int64)
    for i in range(groups.size):
        group = groups[i]
        first = old_ends[group - 1] if group > 0 else 0
        places[i] = 0
        # a row that is not before the last of a full group has no place
        if old_ends[group] - first < most or _is_less(codes, i, old_codes, old_ends[group] - 1):
            places[i] = 1
            ends[group] += 1
    for group in range(1, size):
        ends[group] += ends[group - 1]
    total = ends[size - 1] if size else 0
    rows, room = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
    for i in range(groups.size - 1, -1, -1):
        if places[i]:
            ends[groups[i]] -= 1
            rows[ends[groups[i]]] = i
    for group in range(size):
        i, j = old_ends[group - 1] if group > 0 else 0, ends[group]
        old_end, end = old_ends[group], ends[group + 1] if group + 1 < size else total
        if end - j > 1:
            _sort(codes, rows, j, end, room)
        place = 0
        while i < old_end or j < end:
            place += 1
            given = place if place <= most else 0
            if i < old_end and (j >= end or not _is_less(codes, rows[j], old_codes, i)):
                old_places[i] = given
                i += 1
            else:
                places[rows[j]] = given
                j += 1
        counts[group] = min(place, most)
