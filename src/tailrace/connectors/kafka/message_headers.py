"""The headers of messages that were read: out of librdkafka's structures into a column of lists for each piece."""

from __future__ import annotations

import nanoarrow as na
import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.connectors.kafka import reading_kernels
from tailrace.connectors.kafka.library import Library
from tailrace.formats.base import HEADERS

_FIRST = 1 << 12
_ENTRY = na.struct({"key": na.string(), "value": na.binary()})
_GROWING = ("_names", "_values", "_name_ends", "_value_ends", "_nulls")

Numbers = npt.NDArray[np.int64]


class MessageHeaders:
    """Those of the messages of one look that have some, at most so many as there are `rows`; the buffers are used again."""

    def __init__(self, library: Library, rows: int) -> None:
        names = ("message_headers", "header_cnt", "header_get_all")
        self._functions = [library.address(n) for n in names]
        self._cells = np.zeros(4, np.int64)
        self._rows: list[Numbers] = []
        self._names = np.empty(_FIRST, np.uint8)
        self._values = np.empty(_FIRST, np.uint8)
        self._name_ends = np.empty(_FIRST, np.int64)
        self._value_ends = np.empty(_FIRST, np.int64)
        self._nulls = np.empty(_FIRST, np.bool_)
        self._ends = np.empty(rows, np.int64)
        self._number_of = np.empty(rows, np.int64)
        self._messages = self._entries = self._name_bytes = self._value_bytes = 0

    def take(self, messages: Numbers, rows: Numbers) -> None:
        """Copy those of messages, at these addresses, which are these rows of the look."""
        self._rows.append(rows)
        while True:
            done, self._messages, *used = reading_kernels.gather_headers(
                messages,
                len(messages),
                self._messages,
                *self._functions,
                self._cells.ctypes.data,
                self._entries,
                self._name_bytes,
                self._value_bytes,
                self._names,
                self._values,
                self._name_ends,
                self._value_ends,
                self._nulls,
                self._ends,
            )
            messages = messages[done:]
            if not len(messages):
                self._entries, self._name_bytes, self._value_bytes = used
                return
            # it stopped within a message: what it had of that one is done again
            begin = int(self._ends[self._messages - 1]) if self._messages else 0
            self._entries = begin
            self._name_bytes = int(self._name_ends[begin - 1]) if begin else 0
            self._value_bytes = int(self._value_ends[begin - 1]) if begin else 0
            self._grow()

    def _grow(self) -> None:
        """Double all room, keeping what is there."""
        for name in _GROWING:
            old = getattr(self, name)
            new = np.empty(2 * len(old), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def end(self, rows: int) -> None:
        """Hear that the look is done, and how many rows it gave."""
        self._number_of[:rows] = -1
        if self._rows:
            self._number_of[np.concatenate(self._rows)] = np.arange(self._messages)

    def of(self, rows: Numbers) -> pl.Series | None:
        """Give those of some rows of the look; None if none of these has any."""
        if not self._entries:
            return None
        numbers = self._number_of[rows]
        having = np.flatnonzero(numbers >= 0)
        last = self._ends[numbers[having]]
        first = np.where(numbers[having] > 0, self._ends[numbers[having] - 1], 0)
        counts = np.zeros(len(rows), np.int64)
        counts[having] = last - first
        return self._lists(first, last, counts) if counts.any() else None

    def _lists(self, first: Numbers, last: Numbers, counts: Numbers) -> pl.Series:
        """Give lists of so many entries, those of each message behind those of the one before."""
        names, name_ends, values, value_ends, nulls = reading_kernels.pick_headers(
            first, last, self._names, self._values, self._name_ends, self._value_ends, self._nulls
        )
        present = np.packbits(~nulls, bitorder="little")
        of_nulls = int(np.count_nonzero(nulls))
        children = [
            na.c_array_from_buffers(na.string(), len(nulls), [None, name_ends, names]),
            na.c_array_from_buffers(na.binary(), len(nulls), [present, value_ends, values], null_count=of_nulls),
        ]
        entries = na.c_array_from_buffers(_ENTRY, len(nulls), [None], children=children)
        ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        lists = na.c_array_from_buffers(na.list_(_ENTRY), len(counts), [None, ends], children=[entries])
        return pl.Series("headers", lists).cast(HEADERS)

    def reset(self) -> None:
        """Forget all of the look."""
        self._rows.clear()
        self._messages = self._entries = self._name_bytes = self._value_bytes = 0
