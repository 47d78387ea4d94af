"""Which bytes of a file are a row, by its format."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tailrace.connectors.filesystem.kernels import feeds_outside_quotes, line_bounds
from tailrace.connectors.filesystem.texts import Cut, Offsets
from tailrace.plan.catalog import Table

Bytes = npt.NDArray[np.uint8]


def cut_for(format_name: str, table: Table) -> Cut:
    """Give the way to cut rows of a format; blank lines are no rows of JSON and CSV, and are rows of raw bytes."""
    if format_name == "raw":
        return cut_lines
    return without_blank(_csv(table) if format_name == "csv" else cut_lines)


def _csv(table: Table) -> Cut:
    disabled = table.option("csv.disable-quote-character")
    if disabled is not None and disabled.value.strip().lower() == "true":
        return cut_lines
    quote, escape = table.option("csv.quote-character"), table.option("csv.escape-character")
    delimiter = table.option("csv.field-delimiter")
    return cut_quoted(
        _byte(quote.value if quote else '"'),
        _byte(escape.value) if escape else None,
        _byte(delimiter.value.replace("\\t", "\t")) if delimiter else ord(","),
    )


def _byte(text: str) -> int:
    return text.encode()[0] if text else ord('"')


def cut_lines(data: Bytes, last: bool) -> tuple[Offsets, Offsets, int]:
    r"""
    Cut at line feeds; a carriage return before one belongs to the line end.

    >>> cut_lines(np.frombuffer(b"a\nbc\r\nd", dtype=np.uint8), False)[2]
    6
    """
    room = len(data) // 32 + 1  # lines are seldom shorter
    while True:
        starts, ends = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        count, used = line_bounds(data.ctypes.data, len(data), last, starts, ends)
        if count >= 0:
            return starts[:count], ends[:count], used
        room = int(np.count_nonzero(data == 10)) + 1


def cut_quoted(quote: int, escape: int | None, delimiter: int = ord(",")) -> Cut:
    """
    Cut at line feeds that are not within quotes; a quote opens only at the start of a field.

    So a stray quote within a field costs its row at most.
    """
    escaping = -1 if escape is None or escape == quote else escape

    def cut(data: Bytes, last: bool) -> tuple[Offsets, Offsets, int]:
        if not (data == quote).any():
            return cut_lines(data, last)
        feeds = np.empty(int(np.count_nonzero(data == 10)), dtype=np.int64)
        count = feeds_outside_quotes(data, quote, escaping, delimiter, feeds)
        return _between(data, feeds[:count], last)

    return cut


def _between(data: Bytes, feeds: Offsets, last: bool) -> tuple[Offsets, Offsets, int]:
    used = len(data) if last else int(feeds[-1]) + 1 if len(feeds) else 0
    if last and len(data) and (not len(feeds) or feeds[-1] != len(data) - 1):
        feeds = np.append(feeds, len(data))
    starts = np.empty(len(feeds), dtype=np.int64)
    if len(feeds):
        starts[0] = 0
        starts[1:] = feeds[:-1] + 1
    has_return = (feeds > starts) & (data[np.maximum(feeds, 1) - 1] == 13)
    return starts, feeds - has_return, used


def without_blank(cut: Cut) -> Cut:
    """Leave rows of no bytes out."""

    def cut_kept(data: Bytes, last: bool) -> tuple[Offsets, Offsets, int]:
        starts, ends, used = cut(data, last)
        kept = ends > starts
        return (starts, ends, used) if kept.all() else (starts[kept], ends[kept], used)

    return cut_kept
