"""A Parquet file: slices of its rows, only the columns asked for, in the types of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tailrace.errors import ConfigError, TerminalError, did_you_mean
from tailrace.formats.base import Reject, refuse_variants
from tailrace.schema import Schema

FIRST_ROWS = 65_536
TARGET_BYTES = 32 << 20


class ParquetFile:
    """
    The rows of one Parquet file from a row number on; `name` says how it is called in messages.

    Raises:
        TerminalError: it is no Parquet file, or a column is missing or of a type that does not fit.
    """

    def __init__(self, path: Path, schema: Schema, offset: int, name: str = "") -> None:
        self._path = path
        self._name = name or str(path)
        self._schema = schema
        self.offset = offset
        self._scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        try:
            self._check(self._scan.collect_schema())
            self._total = int(self._scan.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._broken(error) from None
        self._slice = pl.DataFrame()
        self._rows = FIRST_ROWS

    @property
    def ended(self) -> bool:
        """Whether all rows were given."""
        return self.offset >= self._total

    def read(self, max_rows: int) -> tuple[pl.DataFrame, tuple[Reject, ...]] | None:
        """
        Give the next rows, and those among them with a value that does not fit its type; None at the end.

        Raises:
            TerminalError: the file is damaged.
        """
        if self.ended:
            return None
        if self._slice.height == 0:
            self._slice = self._load()
        raw = self._slice.head(max(1, max_rows))
        self._slice = self._slice.slice(raw.height)
        self.offset += raw.height
        return self._typed(raw)

    def _load(self) -> pl.DataFrame:
        count = min(self._rows, self._total - self.offset)
        if not len(self._schema):
            # nothing but the number of rows is asked for
            return pl.DataFrame(height=count)
        try:
            frame = self._scan.select(self._schema.names).slice(self.offset, count).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._broken(error) from None
        if frame.height < count:
            raise TerminalError(f"Parquet file '{self._name}' has become shorter since it was opened")
        self._rows = max(1024, min(1 << 20, TARGET_BYTES * frame.height // max(1, int(frame.estimated_size()))))
        return frame

    def _typed(self, raw: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Reject, ...]]:
        if raw.schema == self._schema.polars or not raw.width:
            return raw, ()
        try:
            return raw.cast(self._schema.polars, strict=True), ()  # type: ignore[arg-type]
        except pl.exceptions.PolarsError:
            return self._without_misfits(raw)

    def _without_misfits(self, raw: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Reject, ...]]:
        """Find the rows whose values do not fit by casting them to NULL."""
        frame = raw.cast(self._schema.polars, strict=False)  # type: ignore[arg-type]
        rejects: dict[int, Reject] = {}
        for field in self._schema:
            lost = (frame[field.name].is_null() & raw[field.name].is_not_null()).arg_true()
            reason = f"value of column '{field.name}' does not fit {field.type.sql()}"
            rejects |= {row: Reject(row, "type", reason) for row in lost.to_list() if row not in rejects}
        if not rejects:
            raise TerminalError(f"Parquet file '{self._name}': a nested value does not fit the type of its column")
        return frame, tuple(rejects[row] for row in sorted(rejects))

    def _check(self, actual: pl.Schema) -> None:
        for field in self._schema:
            if field.name not in actual:
                hint = did_you_mean(field.name, actual.names()) or f"it has: {', '.join(actual.names())}"
                raise TerminalError(f"Parquet file '{self._name}' has no column '{field.name}'", hint=hint)
            if not fits(actual[field.name], field.type.polars):
                kind = f"column '{field.name}' of Parquet file '{self._name}' is {actual[field.name]}"
                raise TerminalError(f"{kind}, which is no {field.type.sql()}", hint="mend the type in CREATE TABLE")

    def _broken(self, error: Exception) -> TerminalError:
        return TerminalError(f"can't read Parquet file '{self._name}': {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:200]


def fits(actual: pl.DataType, wanted: pl.DataType) -> bool:
    """
    Tell whether a column can be read as a type: the same family, with a check of each value where it may not fit.

    >>> fits(pl.Int32(), pl.Int64()), fits(pl.String(), pl.Int64())
    (True, False)
    """
    if actual in (wanted, pl.Null()):
        return True
    if isinstance(wanted, pl.List) and isinstance(actual, pl.List):
        return fits(_plain(actual.inner), _plain(wanted.inner))
    if isinstance(wanted, pl.Struct) and isinstance(actual, pl.Struct):
        have = {f.name: _plain(f.dtype) for f in actual.fields}
        return all(f.name in have and fits(have[f.name], _plain(f.dtype)) for f in wanted.fields)
    if isinstance(wanted, pl.Datetime) and isinstance(actual, pl.Datetime):
        return (wanted.time_zone is None) == (actual.time_zone is None)
    if wanted == pl.String:
        return isinstance(actual, pl.Categorical | pl.Enum)
    if wanted.is_integer():
        return actual.is_integer()
    if wanted.is_decimal():
        return actual.is_decimal() or actual.is_integer()
    return wanted.is_float() and actual.is_float()


def _plain(kind: Any) -> pl.DataType:
    """Give an inner type, which Polars may name by its class."""
    given: pl.DataType = kind if isinstance(kind, pl.DataType) else kind()
    return given


def refuse_unsupported(schema: Schema) -> None:
    """
    Refuse a table that Parquet can't hold.

    Raises:
        ConfigError: it has no columns, or one of VARIANT.
    """
    refuse_variants(schema, "parquet")
    if not len(schema):
        raise ConfigError("a Parquet file needs at least one column beside those of PARTITIONED BY")
