"""
Blocks of structs to columns.

The kernel takes all rows at once and flags those that it does not understand; these are read by the library, one by one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.base import Decoded, Decoder, Rows
from tailrace.formats.decoding import decode_both_ways
from tailrace.formats.kernels import thrift_decode as kernel
from tailrace.formats.tables import Room
from tailrace.formats.thrift.columns import Columns
from tailrace.formats.thrift.idl import Struct, Structs
from tailrace.formats.thrift.plan import plan_of
from tailrace.formats.thrift.rows import RowReader
from tailrace.formats.thrift.shapes import shapes
from tailrace.options import Values
from tailrace.schema import Schema

Marks = npt.NDArray[np.uint8]


class ThriftDecoder(Decoder):
    """
    Reads the columns of a schema from structs; with `fast` False it reads all rows by the library (for tests).

    Raises:
        ConfigError: the struct has no such field, or one of another type.
    """

    def __init__(self, struct: Struct, known: Structs, schema: Schema, options: Values, *, fast: bool = True) -> None:
        fields = shapes(struct, known, schema)
        self._schema = schema
        self._compact: bool = options["protocol"] == "compact"
        self._ignore_errors: bool = options["ignore-parse-errors"]
        self._reader = RowReader(struct, fields, compact=self._compact)
        self._plan = plan_of(struct, fields) if fast else None

    def decode(self, rows: Rows) -> Decoded:
        block = None if self._plan is None else self._block
        return decode_both_ways(rows, self._schema, block, self._reader.read, ignore_errors=self._ignore_errors)

    def _block(self, rows: Rows) -> tuple[pl.DataFrame | None, Marks]:
        plan = self._plan
        assert plan is not None
        count = len(rows)
        room = Room(plan.tables, plan.state, count)
        slow = np.zeros(count, dtype=np.uint8)
        data, done = rows.data.ctypes.data, 0
        while True:
            done = kernel.decode(
                data, rows.starts, rows.ends, done, plan.root, plan.state, plan.frames, slow, self._compact
            )
            if done == count:
                break
            room.grow()
        if rows.nulls is not None:
            slow |= rows.nulls.view(np.uint8)
        if slow.all():
            return None, slow
        if not len(self._schema):
            return pl.DataFrame(height=count), slow
        return Columns(plan, room, slow).frame(), slow
