"""The lines of an answer, as they come: whole ones, and proof that the last one was there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from tailrace.errors import TransientError
from tailrace.formats import registry
from tailrace.formats.base import Decoder, Reject, Rows
from tailrace.options import OptionText
from tailrace.schema import Field, Schema

_OPTIONS = {"timestamp-format.standard": OptionText("ISO-8601")}
_FEED = 10
_VALUE = "v"


def decoder(schema: Schema) -> Decoder:
    """Make what reads lines of JSON."""
    chosen = registry.get("json")
    return chosen.decoder(schema, chosen.options.parse(_OPTIONS))


def lines(pieces: Iterable[bytes], shown: str) -> Iterator[Rows]:
    r"""
    Cut an answer into lines, piece by piece. Druid ends a whole answer with an empty line.

    >>> [rows.row(0) for rows in lines([b'{"a"', b":1}\n", b"\n"], "the query")]
    [b'{"a":1}']

    Raises:
        TransientError: the answer broke off.
    """
    rest, blank = b"", False
    for piece in pieces:
        whole, feed, rest_of = (rest + piece).rpartition(b"\n")
        rest = rest_of if feed else rest + piece
        if not feed:
            continue
        data = np.frombuffer(whole + feed, dtype=np.uint8)
        ends = np.flatnonzero(data == _FEED).astype(np.int64)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
        blank = bool(starts[-1] == ends[-1])
        filled = ends > starts
        if filled.any():
            yield Rows(data, starts[filled], ends[filled])
    if rest or not blank:
        raise TransientError(f"{shown}: Druid's answer broke off before its end")


def aligned(found: Rows, by: Decoder) -> tuple[pl.DataFrame, list[Reject]]:
    """Decode lines into a frame that has a row for each, of NULLs where it could not be read."""
    decoded = by.decode(found)
    if decoded.kept is None:
        return decoded.frame, list(decoded.rejects)
    numbers = np.full(len(found), -1, dtype=np.int64)
    numbers[decoded.kept] = np.arange(len(decoded.kept))
    at = pl.Series("at", numbers)
    places = at.set(at < 0, None)
    return decoded.frame.select(pl.all().gather(places)), list(decoded.rejects)


def nested(texts: pl.Series, field: Field) -> tuple[pl.Series, list[Reject]]:
    """Read texts of JSON as a column of a nested type."""
    wrapped = texts.to_frame("t").select(
        pl.concat_str([pl.lit(f'{{"{_VALUE}":'), pl.col("t").fill_null("null"), pl.lit("}")])
    )
    rows = Rows.of([text.encode() for text in wrapped.to_series().to_list()])
    frame, rejects = aligned(rows, decoder(Schema((Field(_VALUE, field.type.with_nullable(True)),))))
    return frame[_VALUE].alias(field.name), rejects
