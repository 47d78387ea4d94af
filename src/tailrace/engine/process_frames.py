"""Frames that a process function gives for a batch: checked, and with the rows of the batch that they are of."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tailrace.engine.process_columns import fitting
from tailrace.plan.nodes import Process
from tailrace.plan.nodes.process import columns_of
from tailrace.state.kernels import I64
from tailrace.user_functions import columns
from tailrace.user_functions.faults import stopped

ROW, KEY = "$row", "$key"
"""The columns by which a function knows the rows of a batch, and the numbers of their keys."""


def taken(node: Process, output: str, given: Any, count: int) -> tuple[list[pl.Series], I64 | None] | None:
    """
    Give the columns of an output, and the rows of the batch that its rows are of (None: one for each); None for no rows.

    Raises:
        TerminalError: it is no frame, has other columns or types, or another length.
    """
    types = columns_of(node.function.sides[output] if output else node.function.result)
    frame = _frame(node, given, next(iter(types)), alone=len(types) == 1)
    if frame is None:
        return None
    what = f"for the side output '{output}'" if output else "as its rows"
    missing = [name for name in types if name not in frame.columns]
    if missing:
        hint = f"its columns are {', '.join(types)}; {ROW} tells the row that each is of"
        raise stopped(node.declaration, f"gave no column '{missing[0]}' {what}", hint)
    found = []
    for name, type_ in types.items():
        series = fitting(node.declaration, frame[name], type_, f"its column '{name}'").alias(name)
        if not type_.nullable and series.null_count():
            hint = "mend the column, or leave NOT NULL out of result_type"
            raise stopped(node.declaration, f"gave NULL for its column '{name}', which is NOT NULL", hint)
        found.append(series)
    return found, _rows(node, frame, count)


def _frame(node: Process, given: Any, name: str, *, alone: bool) -> pl.DataFrame | None:
    if given is None or isinstance(given, pl.DataFrame):
        return given
    series = columns.as_series(given) if alone else None
    if series is not None:
        return series.to_frame(name)
    hint = "give a DataFrame" + (" or a Series" if alone else "") + ", or None for no rows"
    if isinstance(given, dict):
        hint = "give pl.DataFrame({...})"
    raise stopped(node.declaration, f"returned {type(given).__name__}, not a frame", hint)


def _rows(node: Process, frame: pl.DataFrame, count: int) -> I64 | None:
    if ROW not in frame.columns:
        if len(frame) != count:
            hint = f"give one row for each, or keep the column {ROW}, which tells the row that each is of"
            raise stopped(node.declaration, f"returned {len(frame)} rows for {count} rows", hint)
        return None
    rows = frame[ROW]
    if not rows.dtype.is_integer() or rows.null_count():
        raise stopped(node.declaration, f"gave the column {ROW} with other values than rows", f"leave {ROW} as it is")
    found: I64 = rows.cast(pl.Int64).to_numpy()
    if len(found) and (found.min() < 0 or found.max() >= count):
        raise stopped(node.declaration, f"gave rows in {ROW} that the batch has not", f"leave {ROW} as it is")
    return np.ascontiguousarray(found)
