"""Cut a buffer of CSV into records: a line feed within quotes does not end one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.formats.base import Rows
from tailrace.formats.kernels.ends import unquoted_feeds
from tailrace.formats.lines import between, split_lines

NONE = -1


def split_records(
    data: npt.NDArray[np.uint8],
    *,
    quote: int = ord('"'),
    escape: int = NONE,
    delimiter: int = ord(","),
    whole: bool = True,
) -> Rows:
    r"""
    Give the records of a buffer that begins with one; `quote` and `escape` are bytes, or NONE.

    The last record needs no line end if the buffer is `whole`, else it is left out.

    >>> rows = split_records(np.frombuffer(b'1,"a\nb"\r\n2,c', dtype=np.uint8))
    >>> [rows.row(i) for i in range(len(rows))]
    [b'1,"a\nb"', b'2,c']
    """
    if quote == NONE:
        return split_lines(data, whole=whole)
    feeds = np.empty(len(data), dtype=np.int64)
    count, _ = unquoted_feeds(data, quote, escape, delimiter, feeds)
    return between(data, feeds[:count], whole=whole)
