"""Rows of a result as lines of JSON: `{"op": "+I", "row": {...}}`."""

from __future__ import annotations

import polars as pl

from tailrace.engine.batch import KIND, RowKind
from tailrace.formats.json.objects import Objects, Style
from tailrace.schema import Schema

_STYLE = Style(decimals="text", comma=", ", colon=": ", null_key="null")
_SIGNS = {int(k): k.sign for k in RowKind}


def jsonl(frame: pl.DataFrame, schema: Schema) -> bytes:
    r"""
    Give each row as a line: its row kind, and its columns in the order of the schema.

    Decimals are texts with their scale, bytes base64, timestamps `YYYY-MM-DD HH:MM:SS[.f]` without trailing zeros (with Z
    for TIMESTAMP_LTZ), maps objects; NaN and the infinities are texts.

    >>> from tailrace.schema import BIGINT, Field, Schema
    >>> jsonl(pl.DataFrame({"n": [1]}), Schema((Field("n", BIGINT),)))
    b'{"op": "+I", "row": {"n": 1}}\n'
    """
    if not len(frame):
        return b""
    rows = Objects(schema, _STYLE).texts(frame)
    ops = frame[KIND].replace_strict(_SIGNS, return_dtype=pl.String) if KIND in frame.columns else "+I"
    texts: pl.Series = '{"op": "' + ops + '", "row": ' + rows + "}\n"
    return str(texts.str.join("").item()).encode()
