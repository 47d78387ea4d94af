"""Kernels of session windows: the open sessions of a key are a chain of intervals that do not touch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.state.kernels import I64

LATE = -1


@njit(nogil=True, cache=True)
def assign_sessions(
    times: I64,
    keys: I64,
    watermarks: I64,
    gap: int,
    heads: I64,
    starts: I64,
    ends: I64,
    following: I64,
    parents: I64,
    key_of: I64,
    free: I64,
    out: I64,
    merged: I64,
) -> tuple[int, int]:
    """
    Put each row, in order, into the session of its key that it touches, a merged one, or a new one; `out` has which.

    A session that the watermark before a row has passed is closed for it. A row is late when even the merged session has been passed by the watermark before it (one for all rows, or one each):
    `out` is `LATE` then. New sessions take their numbers from the end of `free`. A session that was merged into another has
    that one as its parent and is in `merged`. Gives how many of `free` are left, and how many were merged.
    """
    left = free.size
    count = 0
    one = watermarks.size == 1
    for i in range(times.size):
        start, end = times[i], times[i] + gap
        watermark = watermarks[0 if one else i]
        target = -1
        x = heads[keys[i]]
        while x >= 0:
            if ends[x] - 1 > watermark and starts[x] <= times[i] + gap and ends[x] >= times[i]:
                start, end = min(start, starts[x]), max(end, ends[x])
                target = x
            x = following[x]
        if end - 1 <= watermark:
            out[i] = LATE
            continue
        if target < 0:
            left -= 1
            target = free[left]
            parents[target] = target
            key_of[target] = keys[i]
            following[target] = heads[keys[i]]
            heads[keys[i]] = target
        else:
            count = _absorb(
                keys[i],
                times[i],
                times[i] + gap,
                watermark,
                target,
                heads,
                starts,
                ends,
                following,
                parents,
                merged,
                count,
            )
        starts[target], ends[target] = start, end
        out[i] = target
    for i in range(times.size):
        if out[i] != LATE:
            out[i] = root(parents, out[i])
    return left, count


@njit(nogil=True, cache=True)
def _absorb(
    key: int,
    low: int,
    high: int,
    watermark: int,
    target: int,
    heads: I64,
    starts: I64,
    ends: I64,
    following: I64,
    parents: I64,
    merged: I64,
    count: int,
) -> int:
    """Take all open sessions of a key that touch the interval out of its chain; their parent is the target from now on."""
    before = -1
    x = heads[key]
    while x >= 0:
        after = following[x]
        if x != target and ends[x] - 1 > watermark and starts[x] <= high and ends[x] >= low:
            parents[x] = target
            merged[count] = x
            count += 1
            if before < 0:
                heads[key] = after
            else:
                following[before] = after
        else:
            before = x
        x = after
    return count


@njit(nogil=True, cache=True)
def root(parents: I64, session: int) -> int:
    """Give the session that another has become part of."""
    while parents[session] != session:
        session = parents[session]
    return session


@njit(nogil=True, cache=True)
def roots(parents: I64, sessions: I64) -> I64:
    """Give the sessions that others have become part of."""
    out = np.empty_like(sessions)
    for i in range(sessions.size):
        out[i] = root(parents, sessions[i])
    return out


@njit(nogil=True, cache=True)
def unlink(gone: npt.NDArray[np.bool_], keys: I64, heads: I64, following: I64) -> None:
    """Take the marked sessions out of the chains of these keys."""
    for i in range(keys.size):
        before = -1
        x = heads[keys[i]]
        while x >= 0:
            after = following[x]
            if not gone[x]:
                before = x
            elif before < 0:
                heads[keys[i]] = after
            else:
                following[before] = after
            x = after


@njit(nogil=True, cache=True)
def link(sessions: I64, keys: I64, heads: I64, following: I64) -> None:
    """Put sessions into the chains of their keys."""
    for i in range(sessions.size):
        following[sessions[i]] = heads[keys[i]]
        heads[keys[i]] = sessions[i]
