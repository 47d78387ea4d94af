"""Decodes rows in a block and one by one, and insists that both ways give the same."""

from __future__ import annotations

from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from tailrace.formats import csv, json
from tailrace.formats.base import Decoded, Rows
from tailrace.formats.csv.decoder import CsvDecoder
from tailrace.formats.json.decoder import JsonDecoder
from tailrace.options import OptionText
from tailrace.schema import DataType, Field, Schema

Given = dict[str, str]


def options(format_options: Any, given: Given) -> Any:
    """Read options as a table gives them."""
    return format_options.parse({k: OptionText(v) for k, v in given.items()})


def one(kind: DataType) -> Schema:
    """Give a schema of one column `v`."""
    return Schema((Field("v", kind),))


def read_json(schema: Schema, rows: list[bytes | None], **given: str) -> Decoded:
    """Decode JSON both ways; option names have `_` for `-`."""
    values = options(json.FORMAT.options, {k.replace("_", "-"): v for k, v in given.items()})
    fast, slow = (JsonDecoder(schema, values, fast=f).decode(Rows.of(rows)) for f in (True, False))
    return same(fast, slow)


def read_csv(schema: Schema, rows: list[bytes | None], whole: Schema | None = None, /, **given: str) -> Decoded:
    """Decode CSV both ways; option names have `_` for `-`."""
    values = options(csv.FORMAT.options, {k.replace("_", "-"): v for k, v in given.items()})
    fast, slow = (CsvDecoder(schema, values, whole or schema, fast=f).decode(Rows.of(rows)) for f in (True, False))
    return same(fast, slow)


def same(fast: Decoded, slow: Decoded) -> Decoded:
    """Insist that both outcomes are one."""
    assert_frame_equal(fast.frame, slow.frame, check_exact=True)
    assert fast.rejects == slow.rejects
    assert (fast.kept is None) is (slow.kept is None)
    assert fast.kept is None or list(fast.kept) == list(slow.kept if slow.kept is not None else [])
    return fast


def outcome(decoded: Decoded) -> Any:
    """Give the one value of a row of one column, or the code of its reject."""
    if decoded.rejects:
        assert not len(decoded.frame)
        return f"reject: {decoded.rejects[0].code}"
    values: pl.Series = decoded.frame["v"]
    return values.to_list()[0] if len(values) else "left out"
