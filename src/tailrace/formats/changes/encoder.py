"""Rows with row kinds to envelopes of JSON."""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import KIND
from tailrace.engine.changes import REMOVED
from tailrace.formats.base import Encoder, Rows
from tailrace.formats.changes.dialects import Dialect
from tailrace.formats.json.encoder import style
from tailrace.formats.json.objects import Objects
from tailrace.formats.texts import lines
from tailrace.options import Values
from tailrace.schema import Schema


class ChangeEncoder(Encoder):
    """
    Writes each row as an insertion or a deletion.

    An update is written as a deletion of the row before and an insertion of the new one, as one cannot know that both
    come together.
    """

    def __init__(self, schema: Schema, options: Values, dialect: Dialect) -> None:
        self._objects = Objects(schema, style(options))
        self._inserted, self._deleted = _around(dialect)

    def encode(self, frame: pl.DataFrame) -> Rows:
        if not len(frame):
            return Rows.of([])
        objects = self._objects.texts(frame)
        inserted = _put(objects, self._inserted)
        if KIND not in frame.columns:
            return lines(inserted)
        return lines(_put(objects, self._deleted).zip_with(frame[KIND].is_in(REMOVED), inserted))


def _put(objects: pl.Series, around: tuple[str, str]) -> pl.Series:
    return around[0] + objects + around[1]


def _around(dialect: Dialect) -> tuple[tuple[str, str], tuple[str, str]]:
    """Give what stands before and behind a row that is inserted, and around one that is deleted."""
    ends = [f',"{dialect.operation}":"{values[0]}"}}' for values in (dialect.inserts, dialect.deletes)]
    before, after = f'"{dialect.before}":', f'"{dialect.after}":'
    if dialect.before == dialect.after:
        first, last = ("[", "]") if dialect.lists else ("", "")
        return ("{" + after + first, last + ends[0]), ("{" + before + first, last + ends[1])
    return ("{" + before + "null," + after, ends[0]), ("{" + before, ",".join(["", after + "null"]) + ends[1])
