"""Kernels of OVER: rows lie in the order of partition, time and arrival."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.state.kernels import I64


@njit(nogil=True, cache=True)
def number_steps(slots: I64, times: I64, rows: bool, steps: I64, firsts: I64) -> int:
    """
    Number the steps in which results change: each row, or each time of a partition.

    `steps` has the step of each row, `firsts` the first row of each step. Gives how many there are.
    """
    count = 0
    for i in range(slots.size):
        if i == 0 or rows or slots[i] != slots[i - 1] or times[i] != times[i - 1]:
            firsts[count] = i
            count += 1
        steps[i] = count - 1
    return count


@njit(nogil=True, cache=True)
def frames(slots: I64, times: I64, rows: bool, preceding: int, starts: I64, ends: I64) -> None:
    """Write the frame of each row: from `starts` up to before `ends`."""
    first = 0
    start = 0
    for i in range(slots.size):
        if i and slots[i] != slots[i - 1]:
            first = start = i
        if rows:
            starts[i] = max(first, i - preceding)
            ends[i] = i + 1
            continue
        while times[start] < times[i] - preceding:
            start += 1
        starts[i] = start
    if not rows:
        end = slots.size
        for i in range(slots.size - 1, -1, -1):
            if i + 1 < slots.size and (slots[i] != slots[i + 1] or times[i] != times[i + 1]):
                end = i + 1
            ends[i] = end


@njit(nogil=True, cache=True)
def pairs(starts: I64, ends: I64, places: I64, members: I64) -> None:
    """Write each frame's rows: `places` has the frame, `members` the row."""
    at = 0
    for i in range(starts.size):
        for j in range(starts[i], ends[i]):
            places[at] = i
            members[at] = j
            at += 1


@njit(nogil=True, cache=True)
def judge_late(
    slots: I64, times: I64, watermarks: I64, passed: I64, heads: I64, following: I64, late: npt.NDArray[np.bool_]
) -> None:
    """
    Mark the rows that come after a later row of their partition was put out.

    `passed` has the time of the last row put out by slot. A row is put out when the watermark, in a step after the row, has
    reached it.
    """
    one = watermarks.size == 1
    for i in range(slots.size):
        slot = slots[i]
        watermark = watermarks[0 if one else i]
        j = heads[slot]
        before = -1
        while j >= 0:
            after = following[j]
            if times[j] <= watermark and watermarks[0 if one else j] < watermark:
                passed[slot] = max(passed[slot], times[j])
                if before < 0:
                    heads[slot] = after
                else:
                    following[before] = after
            else:
                before = j
            j = after
        late[i] = times[i] <= passed[slot]
        if not late[i]:
            following[i] = heads[slot]
            heads[slot] = i
    for i in range(slots.size):
        heads[slots[i]] = -1
