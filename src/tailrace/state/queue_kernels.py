"""Kernel of queues of equal rows."""

from __future__ import annotations

import numpy as np
from numba import njit

from tailrace.state.kernels import I32, I64
from tailrace.state.text_kernels import Bools

_END = np.int32(-1)


@njit(nogil=True, cache=True)
def queue(
    identities: I64,
    removed: Bools,
    first: int,
    head: I32,
    tail: I32,
    following: I32,
    gone: I64,
    *,
    unique: bool,
) -> int:
    """
    Let rows come and go, in order: a row that goes is the oldest that is equal. Give how many are gone.

    New rows have the numbers from `first` on; `gone` gets the numbers of rows that go, old ones and new. A row that
    is `unique` takes the place of the one before it.
    """
    count, row = 0, first
    for i in range(identities.size):
        own = identities[i]
        oldest = head[own]
        if oldest != _END and (removed[i] or unique):
            gone[count] = oldest
            count += 1
            head[own] = following[oldest]
        if removed[i]:
            continue
        if head[own] == _END:
            head[own] = row
        else:
            following[tail[own]] = row
        tail[own] = row
        following[row] = _END
        row += 1
    return count
