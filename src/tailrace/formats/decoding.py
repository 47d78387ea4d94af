"""What all decoders do alike: put the rows of both ways together, and tell which rows have been left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.errors import ConfigError
from tailrace.formats.base import Decoded, Reject, Rows
from tailrace.formats.columns import column
from tailrace.options import Values
from tailrace.schema import Schema

Numbers = npt.NDArray[np.int64]
BlockReader = Callable[[Rows], tuple[pl.DataFrame | None, npt.NDArray[np.uint8]]]
"""Reads all rows at once: gives their columns (None: no row could be read so), and marks of the rows to read one by one."""


class SkippedRowError(Exception):
    """A row that can't be read and, with `ignore-parse-errors`, is left out without a reject."""


class BadRowError(Exception):
    """A row that can't be read: a stable code and the reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def refuse_both(format_name: str, options: Values) -> None:
    """
    Refuse `fail-on-missing-field` together with `ignore-parse-errors`, as Flink does.

    Raises:
        ConfigError: both are true.
    """
    if options["fail-on-missing-field"] and options["ignore-parse-errors"]:
        raise ConfigError(
            f"'{format_name}.fail-on-missing-field' and '{format_name}.ignore-parse-errors' can't both be true",
            location=options.location("fail-on-missing-field"),
        )


def decode_both_ways(
    rows: Rows,
    schema: Schema,
    block_of: BlockReader | None,
    row_of: Callable[[bytes | None], list[Any]],
    *,
    ignore_errors: bool,
) -> Decoded:
    """
    Read all rows in a block, and those that this way does not understand one by one; without `block_of` all of them.

    `row_of` gives the values of a row, or raises BadRowError or SkippedRowError.
    """
    assembly = Assembly(schema, len(rows), ignore_errors=ignore_errors)
    block, slow = (None, np.ones(len(rows), dtype=np.uint8)) if block_of is None else block_of(rows)
    for number in np.flatnonzero(slow):
        try:
            assembly.add(int(number), row_of(rows.row(int(number))))
        except BadRowError as error:
            assembly.reject(int(number), error.code, error.reason)
        except SkippedRowError:
            continue
    in_block = np.flatnonzero(slow == 0)
    if block is not None and len(in_block) < len(rows):
        block = block[in_block] if len(schema) else pl.DataFrame(height=len(in_block))
    return assembly.decoded(block, in_block)


class Assembly:
    """Collects the rows of one call to `decode`: those read in a block, and those read one by one."""

    def __init__(self, schema: Schema, count: int, *, ignore_errors: bool) -> None:
        self._schema = schema
        self._count = count
        self._ignore_errors = ignore_errors
        self._rows: list[list[Any]] = []
        self._numbers: list[int] = []
        self._rejects: list[Reject] = []

    def add(self, number: int, values: list[Any]) -> None:
        """Take a row that was read by itself."""
        self._numbers.append(number)
        self._rows.append(values)

    def reject(self, number: int, code: str, reason: str) -> None:
        """Note a row that can't be read; it is left out in silence if errors are to be ignored."""
        if not self._ignore_errors:
            self._rejects.append(Reject(number, code, reason))

    def decoded(self, block: pl.DataFrame | None, in_block: Numbers) -> Decoded:
        """Give the outcome; `block` has the rows whose numbers are `in_block`."""
        numbers = np.concatenate([in_block, np.array(self._numbers, dtype=np.int64)])
        if block is None:
            frame = self._frame()
        elif self._numbers:
            order = np.argsort(numbers, kind="stable")
            numbers = numbers[order]
            frame = pl.concat([block, self._frame()])[order] if len(self._schema) else pl.DataFrame(height=len(numbers))
        else:
            frame = block
        frame, numbers = self._without_missing(frame, numbers)
        self._rejects.sort(key=lambda reject: reject.row)
        return Decoded(frame, numbers if len(numbers) < self._count else None, self._rejects)

    def _frame(self) -> pl.DataFrame:
        if not len(self._schema):
            return pl.DataFrame(height=len(self._rows))
        cells = list(zip(*self._rows, strict=True)) if self._rows else [() for _ in self._schema]
        return pl.DataFrame([column(f.name, list(c), f.type) for f, c in zip(self._schema, cells, strict=True)])

    def _without_missing(self, frame: pl.DataFrame, numbers: Numbers) -> tuple[pl.DataFrame, Numbers]:
        """Reject rows without a value in a column that is NOT NULL."""
        for field in self._schema:
            if field.type.nullable or not frame[field.name].null_count():
                continue
            nulls = frame[field.name].is_null()
            for number in numbers[nulls.to_numpy()]:
                self.reject(int(number), "null", f"column '{field.name}' is NOT NULL and has no value")
            frame, numbers = frame.filter(~nulls), numbers[~nulls.to_numpy()]
        return frame, numbers
