"""Metadata columns of envelopes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.base import Rows
from tailrace.formats.changes.dialects import Dialect, Source
from tailrace.formats.json.cutter import Cut, Cutter

_MAP = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
_NUMBERS = pl.List(pl.Struct({"key": pl.String, "value": pl.Int32}))


class MetadataReader:
    """Reads metadata columns by their keys, `value.` before them; what has another form than it should is NULL."""

    def __init__(self, dialect: Dialect, keys: Sequence[str]) -> None:
        self._wanted = {key: dialect.metadata[key.removeprefix("value.")] for key in keys}
        within: dict[str, list[str]] = {}
        for source in self._wanted.values():
            field, *below = source.path
            if field and below:
                within.setdefault(field, []).extend(below)
        self._within = {field: Cutter(tuple(dict.fromkeys(names))) for field, names in within.items()}

    @property
    def fields(self) -> list[str]:
        """The fields of the envelope that it needs."""
        return [s.path[0] for s in self._wanted.values() if s.path[0]]

    def columns(self, cut: Cut, outer: Cut | None, rows: npt.NDArray[np.int64]) -> list[pl.Series]:
        """Give the columns for these rows of a cut; `outer` is what is around it, if anything is."""
        around = {field: cutter.cut(cut[field]) for field, cutter in self._within.items()}
        if outer is not None:
            around[""] = outer
        return [self._column(key, source, cut, around).gather(rows) for key, source in self._wanted.items()]

    @staticmethod
    def _column(key: str, source: Source, cut: Cut, around: Mapping[str, Cut]) -> pl.Series:
        """Give a column of the envelope, or of what is `around` it by the first field of its path."""
        first, *below = source.path
        if below and first not in around:
            return pl.Series(key, [None] * len(cut), dtype=pl.String)
        texts = around[first][below[0]] if below else cut[first]
        return _READ[source.type](texts).alias(key)


def _values(texts: Rows) -> list[Any]:
    return [None if row is None else json.loads(row) for row in map(texts.row, range(len(texts)))]


def strings(texts: Rows) -> pl.Series:
    """Give the texts of strings, and anything else as JSON."""
    rows = (texts.row(i) for i in range(len(texts)))
    return pl.Series([_text(row) for row in rows], dtype=pl.String)


def _text(row: bytes | None) -> str | None:
    """Give the text of a string, and anything else as JSON."""
    if row is None:
        return None
    return str(json.loads(row)) if row.startswith(b'"') else row.decode()


def _map(texts: Rows) -> pl.Series:
    def entries(value: Any) -> list[dict[str, str | None]] | None:
        if not isinstance(value, dict):
            return None
        return [{"key": k, "value": _plain(v)} for k, v in value.items()]

    return pl.Series([entries(v) for v in _values(texts)], dtype=_MAP)


def _map_of_numbers(texts: Rows) -> pl.Series:
    def entries(value: Any) -> list[dict[str, Any]] | None:
        if not isinstance(value, dict):
            return None
        return [{"key": k, "value": v if isinstance(v, int) else None} for k, v in value.items()]

    return pl.Series([entries(v) for v in _values(texts)], dtype=_NUMBERS)


def _plain(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _array(texts: Rows) -> pl.Series:
    lists = [[_plain(v) for v in value] if isinstance(value, list) else None for value in _values(texts)]
    return pl.Series(lists, dtype=pl.List(pl.String))


def _milliseconds(texts: Rows) -> pl.Series:
    numbers = [v if isinstance(v, int) else None for v in _values(texts)]
    return pl.Series(numbers, dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))


def _microseconds(texts: Rows) -> pl.Series:
    return strings(texts).str.to_datetime(time_unit="us", strict=False).dt.replace_time_zone("UTC")


_READ = {
    "STRING": strings,
    "MAP<STRING, STRING>": _map,
    "MAP<STRING, INT>": _map_of_numbers,
    "ARRAY<STRING>": _array,
    "TIMESTAMP_LTZ(3)": _milliseconds,
    "TIMESTAMP_LTZ(6)": _microseconds,
}
