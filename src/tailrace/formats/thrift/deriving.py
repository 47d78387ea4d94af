"""A `.thrift` file from columns."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tailrace.errors import ConfigError, Location
from tailrace.formats.thrift.idl import Structs, load
from tailrace.schema import BINARIES, STRINGS, TIMESTAMPS, DataType, Kind, Schema

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIMPLE = {
    Kind.BOOLEAN: "bool",
    Kind.TINYINT: "i8",
    Kind.SMALLINT: "i16",
    Kind.INT: "i32",
    Kind.BIGINT: "i64",
    Kind.DOUBLE: "double",
    Kind.DECIMAL: "string",
    Kind.DATE: "i32",
    **dict.fromkeys(STRINGS, "string"),
    **dict.fromkeys(BINARIES, "binary"),
    **dict.fromkeys(TIMESTAMPS, "i64"),
}
_SAYS_LESS = (Kind.DECIMAL, Kind.DATE, Kind.TIME, *TIMESTAMPS)
"""Kinds whose fields have a comment with the type in SQL."""


def text_of(schema: Schema, struct: str) -> str:
    """
    Write a file with a struct of the columns; what may not be NULL is `required`.

    Raises:
        ConfigError: a column has no type or name in Thrift.

    >>> from tailrace.schema import BIGINT, Field
    >>> print(text_of(Schema((Field("id", BIGINT),)), "Order"))
    struct Order {
      1: optional i64 id,
    }
    <BLANKLINE>
    """
    made: list[str] = []
    _struct(made, struct, ((f.name, f.type) for f in schema))
    text = "\n".join(made)
    loaded(text)  # a name may be a word of Thrift
    return text


def loaded(text: str, at: Location | None = None) -> Structs:
    """
    Read the text of a file that includes no other.

    Raises:
        ConfigError: it can't be read; points at `at`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "contract.thrift")
        path.write_text(text)
        return load(path, [], at)


def _struct(made: list[str], name: str, columns: Iterable[tuple[str, DataType]]) -> None:
    """Write a struct, behind those that are in it."""
    lines = []
    for number, (column, kind) in enumerate(columns, 1):
        if not _NAME.fullmatch(column):
            hint = "names in Thrift have letters, digits and '_', and begin with no digit"
            raise ConfigError(f"column '{column}' has no name in Thrift", hint=hint)
        need = "optional" if kind.nullable else "required"
        comment = f"  // {kind.sql()}" if kind.kind in _SAYS_LESS else ""
        lines.append(f"  {number}: {need} {_type(made, kind, f'{name}_{column}')} {column},{comment}")
    made.append("\n".join([f"struct {name} {{", *lines, "}", ""]))


def _type(made: list[str], kind: DataType, path: str) -> str:
    if kind.kind is Kind.ARRAY:
        return f"list<{_type(made, kind.children[0], path)}>"
    if kind.kind is Kind.MAP and not kind.children[0].children:
        key, value = (_type(made, child, path) for child in kind.children)
        return f"map<{key}, {value}>"
    if kind.kind is Kind.ROW:
        _struct(made, path, zip(kind.names, kind.children, strict=True))
        return path
    if kind.kind is Kind.TIME:
        return "i32" if kind.precision <= 3 else "i64"
    if kind.kind not in _SIMPLE:
        hint = "write a file of your own for the table"
        raise ConfigError(f"column '{path.partition('_')[2]}': Thrift has no type for {kind.sql()}", hint=hint)
    return _SIMPLE[kind.kind]
