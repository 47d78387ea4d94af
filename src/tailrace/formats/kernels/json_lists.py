"""Takes arrays in JSON texts apart; the texts are known to be well-formed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
NO_LIST = -1


@kernel
def elements(data: Bytes, starts: Numbers, ends: Numbers, counts: Numbers, firsts: Numbers, lasts: Numbers) -> int:
    """
    Write where the elements of each array begin and end; give how many there are in all, also beyond the room for them.

    `counts` gets how many each array has: none for a text without bytes, NO_LIST for what is no array.
    """
    total = 0
    for r in range(starts.size):
        i, end = starts[r], ends[r]
        counts[r] = 0
        if i < end and data[i] != 91:
            counts[r] = NO_LIST
            continue
        i, depth, first, last = i + 1, 0, -1, -1
        while i < end:
            c = data[i]
            closes, opens = c in (93, 125), c in (91, 123)
            if depth == 0 and (c == 44 or closes):
                if first >= 0:
                    if total < firsts.size:
                        firsts[total], lasts[total] = first, last + 1
                    total += 1
                    counts[r] += 1
                first = -1
            elif c > 32:
                first = i if first < 0 else first
                if c == 34:
                    i += 1
                    while data[i] != 34:
                        i += 2 if data[i] == 92 else 1
                depth += opens - closes
                last = i
            i += 1
    return total
