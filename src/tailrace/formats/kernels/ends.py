"""Where rows end in a buffer of text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.compile import kernel

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


@kernel
def line_feeds(data: Bytes, out: Numbers) -> int:
    """Write the places of line feeds into `out`, as long as it has room; give how many."""
    count = 0
    for i in range(data.size):
        if data[i] == 10:
            if count == out.size:
                break
            out[count] = i
            count += 1
    return count


@kernel
def unquoted_feeds(data: Bytes, quote: int, escape: int, delimiter: int, out: Numbers) -> tuple[int, bool]:
    """
    Write the places of line feeds outside quotes into `out`; give how many, and whether a quote is open at the end.

    A quote opens at the start of a field only; two quotes within quotes are one. `escape` is -1 where there is none.
    """
    count = 0
    quoted = False
    at_start = True
    i = 0
    while i < data.size and count < out.size:
        byte = data[i]
        if quoted:
            if byte == escape:
                i += 1
            elif byte == quote:
                if i + 1 < data.size and data[i + 1] == quote:
                    i += 1
                else:
                    quoted = False
        elif byte == 10:
            out[count] = i
            count += 1
            at_start = True
        elif at_start and byte == quote:
            quoted = True
            at_start = False
        else:
            at_start = byte == delimiter
        i += 1
    return count, quoted
