"""How the columns of a table are laid out in HBase: row key, families and qualifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tailrace.connectors.hbase.cells import encoded, refuse_others, series
from tailrace.connectors.texts import key_texts, read_texts, refuse_textless
from tailrace.errors import ConfigError, TerminalError
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import Field, Kind, Schema
from tailrace.user_functions.columns import python_values


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row: `family:qualifier`, and the column (or the field `part` of a ROW) that it holds."""

    name: bytes
    column: str
    field: Field
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The row key's columns, and the cells of all others."""

    table: str
    schema: Schema
    key: Schema
    cells: tuple[Cell, ...]
    delimiter: str

    @classmethod
    def of(cls, table: Table, options: Values, schema: Schema) -> Layout:
        """
        Lay out the columns of a schema.

        Raises:
            ConfigError: there is no row key, or a column that has no place.
        """
        names = table.primary_key or tuple(f.name for f in table.physical if f.type.kind is not Kind.ROW)
        if not table.primary_key and len(names) != 1:
            hint = "add PRIMARY KEY (...) NOT ENFORCED: its values are the row key"
            raise ConfigError(f"table '{table.name}' has no row key", hint=hint, location=table.location)
        key = Schema(tuple(table.physical[name] for name in names))
        if len(names) == 1:
            refuse_others(key, table.location)
        else:
            refuse_textless(key, "a row key of several columns", table.location, binary=False)
        cells = tuple(c for f in schema if f.name not in key for c in _cells(f, options["column-family"]))
        for cell in cells:
            refuse_others(Schema((Field(cell.column, cell.field.type),)), table.location)
        return cls(options["table-name"] or table.name, schema, key, cells, options["row-key.delimiter"])

    @property
    def families(self) -> list[str]:
        """The families, in order."""
        return list(dict.fromkeys(c.name.partition(b":")[0].decode() for c in self.cells))

    @property
    def names(self) -> list[bytes]:
        """The names of all cells."""
        return [c.name for c in self.cells]

    @property
    def mark(self) -> bytes:
        """The cell of a row whose columns are all NULL, which would not be there without any."""
        return f"{self.families[0]}:_".encode()

    def keys(self, rows: pl.DataFrame) -> list[bytes | None]:
        """Give the row key of each row; None where it has a NULL."""
        fields = list(self.key)
        if len(fields) == 1:
            return encoded(python_values(rows[fields[0].name], fields[0].type), fields[0].type)
        return [None if t is None else t.encode() for t in key_texts(rows, fields, separator=self.delimiter)]

    def values(self, rows: pl.DataFrame) -> list[list[bytes | None]]:
        """Give the values of each cell, row by row."""
        columns = [encoded(python_values(_part(rows, c), c.field.type), c.field.type) for c in self.cells]
        return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(len(rows))]

    def frame(self, keys: Sequence[bytes], cells: Sequence[Mapping[bytes, bytes]]) -> pl.DataFrame:
        """
        Give rows of HBase as columns.

        Raises:
            TerminalError: a cell or a row key is no value of its column's type.
        """
        what = f"HBase table '{self.table}'"
        found = {c: series([row.get(c.name) for row in cells], c.field, what) for c in self.cells}
        by_key = self._key_columns(keys, what)
        return pl.DataFrame([self._column(f, found, by_key, len(keys)) for f in self.schema])

    def _column(
        self, field: Field, found: Mapping[Cell, pl.Series], by_key: Mapping[str, pl.Series], count: int
    ) -> pl.Series:
        if field.name in by_key:
            return by_key[field.name].alias(field.name)
        parts = [s.alias(c.part or c.column) for c, s in found.items() if c.column == field.name]
        if field.type.kind is not Kind.ROW:
            return parts[0].alias(field.name)
        there = pl.any_horizontal(pl.col(p.name).is_not_null() for p in parts)
        made = pl.DataFrame(parts).select(pl.when(there).then(pl.struct(pl.all())).alias(field.name))
        assert len(made) == count
        return made.to_series()

    def _key_columns(self, keys: Sequence[bytes], what: str) -> dict[str, pl.Series]:
        fields = list(self.key)
        if len(fields) == 1:
            return {fields[0].name: series(keys, fields[0], what)}
        parts = [_split(key.decode(), self.delimiter) for key in keys]
        if any(len(p) != len(fields) for p in parts):
            raise TerminalError(f"{what}: a row key has not {len(fields)} parts", hint="mend 'row-key.delimiter'")
        columns = list(zip(*parts, strict=True)) or [()] * len(fields)
        texts = pl.DataFrame(
            [pl.Series(f.name, list(c), dtype=pl.String) for f, c in zip(fields, columns, strict=True)]
        )
        values, rejects = read_texts(texts, self.key)
        if rejects:
            raise TerminalError(f"{what}: {rejects[0].reason}", hint="mend the type of the column")
        return {f.name: values[f.name] for f in fields}


def _cells(field: Field, family: str) -> list[Cell]:
    if field.type.kind is not Kind.ROW:
        return [Cell(f"{family}:{field.name}".encode(), field.name, field)]
    parts = zip(field.type.names, field.type.children, strict=True)
    return [Cell(f"{field.name}:{name}".encode(), field.name, Field(name, t), name) for name, t in parts]


def _part(rows: pl.DataFrame, cell: Cell) -> pl.Series:
    column = rows[cell.column]
    return column if cell.part is None else column.struct.field(cell.part)


def _split(text: str, delimiter: str) -> list[str]:
    r"""
    Take a row key of several columns apart.

    >>> _split(r"a\:b:c", ":")
    ['a:b', 'c']
    """
    parts, at = [""], 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
            escaped = delimiter if text.startswith(delimiter, at) else text[at : at + 1]
            parts[-1] += escaped
            at += len(escaped)
        elif text.startswith(delimiter, at):
            parts.append("")
            at += len(delimiter)
        else:
            parts[-1] += text[at]
            at += 1
    return parts
