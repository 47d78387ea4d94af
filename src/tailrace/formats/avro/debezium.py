"""Debezium's envelopes in Avro, with the schemas of a registry: each says what was done to a row of a database."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.batch import KIND, RowKind
from tailrace.engine.changes import REMOVED
from tailrace.formats.avro.confluent import ConfluentDecoder, ConfluentEncoder
from tailrace.formats.base import Decoded, Decoder, Encoder, Reject, Rows
from tailrace.formats.confluent.places import Place
from tailrace.options import Values
from tailrace.schema import STRING, Field, Schema, row

INSERTS, UPDATE, DELETE = ("c", "r"), "u", "d"


def envelope(schema: Schema) -> Schema:
    """Give the columns of an envelope around rows of a schema, as Flink has them."""
    image = row({f.name: f.type for f in schema})
    return Schema((Field("before", image), Field("after", image), Field("op", STRING)))


class DebeziumDecoder(Decoder):
    """
    Reads the columns of a schema from envelopes: an update gives two rows, the one before and the new one.

    Rows without bytes (tombstones) and of no bytes are left out. If one of the two rows of an update can't be read, both are
    left out.
    """

    def __init__(self, schema: Schema, options: Values, place: Place, whole: Schema) -> None:
        # a row has at least one field: where no column is asked for, the first one is read to know that a row is there
        self._images = schema if len(schema) else Schema(whole.fields[:1])
        self._schema = schema
        self._inner = ConfluentDecoder(envelope(self._images), options, place, None)

    def check(self) -> str:
        return self._inner.check()

    def decode(self, rows: Rows) -> Decoded:
        live = rows.ends > rows.starts
        if rows.nulls is not None:
            live &= ~rows.nulls
        numbers = np.flatnonzero(live)
        decoded = self._inner.decode(rows if len(numbers) == len(rows) else rows.take(numbers))
        of = numbers if decoded.kept is None else numbers[decoded.kept]
        rejects = {int(numbers[r.row]): Reject(int(numbers[r.row]), r.code, r.reason) for r in decoded.rejects}
        frame = self._taken_apart(decoded.frame.with_columns(pl.Series("#", of)), rejects)
        kept = frame["#"].to_numpy().astype(np.int64)
        return Decoded(frame.select([*self._schema.names, KIND]), kept, [rejects[n] for n in sorted(rejects)])

    def _taken_apart(self, frame: pl.DataFrame, rejects: dict[int, Reject]) -> pl.DataFrame:
        """Give the rows that envelopes have, with their kinds; those without the ones that they need become rejects."""
        op, before, after = pl.col("op"), pl.col("before"), pl.col("after")
        is_new, is_update, is_gone = op.is_in(INSERTS), op == UPDATE, op == DELETE
        bad = [
            ("operation", "field 'op' names no operation", ~(is_new | is_update | is_gone).fill_null(value=False)),
            ("missing", "there is no field 'after'", (is_new | is_update) & after.is_null()),
            ("missing", "there is no field 'before'", (is_gone | is_update) & before.is_null()),
        ]
        for field in self._images:
            if not field.type.nullable:
                reason = f"column '{field.name}' is NOT NULL and has no value"
                lacks = (before.is_not_null() & before.struct.field(field.name).is_null() & ~is_new) | (
                    after.is_not_null() & after.struct.field(field.name).is_null() & ~is_gone
                )
                bad.append(("null", reason, lacks))
        for code, reason, where in bad:
            for number in frame.filter(where)["#"].to_list():
                rejects.setdefault(number, Reject(number, code, reason))
        if rejects:
            frame = frame.filter(~pl.col("#").is_in(list(rejects)))
        old = frame.filter(~is_new).select(
            "#", before.alias("row"), _kind(is_update, RowKind.UPDATE_BEFORE, RowKind.DELETE)
        )
        new = frame.filter(~is_gone).select(
            "#", after.alias("row"), _kind(is_update, RowKind.UPDATE_AFTER, RowKind.INSERT)
        )
        # of an update the row before comes first: the sort keeps the order of equal numbers
        return pl.concat([old, new]).sort("#", maintain_order=True).unnest("row")


def _kind(is_update: pl.Expr, update: RowKind, other: RowKind) -> pl.Expr:
    return pl.when(is_update).then(pl.lit(int(update))).otherwise(pl.lit(int(other))).cast(pl.Int8).alias(KIND)


class DebeziumEncoder(Encoder):
    """Writes each row as an insertion or a deletion: an update is a deletion of the row before and an insertion of the new one."""

    def __init__(self, schema: Schema, options: Values, place: Place) -> None:
        self._names = schema.names
        self.inner = ConfluentEncoder(envelope(schema), options, place)

    def open(self) -> None:
        self.inner.open()

    def check(self) -> str:
        return self.inner.check()

    def encode(self, frame: pl.DataFrame) -> Rows:
        gone = pl.col(KIND).is_in(REMOVED) if KIND in frame.columns else pl.lit(value=False)
        image = pl.struct(self._names)
        return self.inner.encode(
            frame.select(
                pl.when(gone).then(image).alias("before"),
                pl.when(~gone).then(image).alias("after"),
                pl.when(gone).then(pl.lit(DELETE)).otherwise(pl.lit(INSERTS[0])).alias("op"),
            )
        )
