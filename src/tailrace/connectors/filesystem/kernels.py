"""The loop over the bytes of CSV that no column operation can do: what is within quotes depends on all before it."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt


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
