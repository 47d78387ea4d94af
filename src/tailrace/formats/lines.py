"""Cut a buffer into rows that end with a line feed; a carriage return before it belongs to the line end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.formats.base import Rows
from tailrace.formats.kernels.ends import line_feeds

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


def split_lines(data: Bytes, *, whole: bool = True) -> Rows:
    r"""
    Give the lines of a buffer; the last needs no line end if the buffer is `whole`, else it is left out.

    What is left out begins behind the last line feed. Empty lines are rows of zero bytes.

    >>> rows = split_lines(np.frombuffer(b"one\r\n\ntwo", dtype=np.uint8))
    >>> [rows.row(i) for i in range(len(rows))]
    [b'one', b'', b'two']
    """
    feeds = np.empty(len(data), dtype=np.int64)
    return between(data, feeds[: line_feeds(data, feeds)], whole=whole)


def between(data: Bytes, feeds: Numbers, *, whole: bool) -> Rows:
    """Give the rows that end at these line feeds, and with `whole` what follows the last of them."""
    after = int(feeds[-1]) + 1 if len(feeds) else 0
    ends = np.append(feeds, len(data)) if whole and after < len(data) else feeds
    starts = np.zeros(len(ends), dtype=np.int64)
    starts[1:] = ends[:-1] + 1
    returns = (ends > starts) & (data[np.maximum(ends - 1, 0)] == 13) if len(ends) else np.zeros(0, dtype=np.bool_)
    return Rows(data, starts, ends - returns)
