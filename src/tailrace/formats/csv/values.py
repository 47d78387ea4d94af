"""From the text of a field to the value of a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tailrace.errors import UnsupportedError
from tailrace.formats.csv.options import Dialect
from tailrace.formats.scalars import BadValueError, Timestamps, parser, trim
from tailrace.schema import STRINGS, DataType, Kind

Convert = Callable[[str], Any]

_TIMESTAMPS = Timestamps("SQL")


def converter(kind: DataType, dialect: Dialect) -> Convert:
    """
    Give what reads texts of a type; it raises BadValueError.

    Raises:
        UnsupportedError: a type that CSV can't carry.
    """
    if kind.kind is Kind.ARRAY:
        return _array(kind, dialect)
    if kind.kind is Kind.ROW:
        return _row(kind, dialect)
    return _scalar(kind)


def check(kind: DataType) -> None:
    """
    Refuse types that CSV can't carry.

    Raises:
        UnsupportedError: a map, or a nested type within another.
    """
    if kind.kind is Kind.MAP or any(child.children for child in kind.children):
        raise UnsupportedError(
            f"CSV can't carry {kind.sql()}: fields are scalars, or ARRAY or ROW of scalars",
            hint="use the format 'json'",
        )


def _scalar(kind: DataType) -> Convert:
    if kind.kind is Kind.NULL:
        return lambda _: None
    parse = parser(kind, _TIMESTAMPS)
    return parse if kind.kind in STRINGS else lambda text: parse(trim(text))


def _element(kind: DataType, dialect: Dialect) -> Convert:
    convert = _scalar(kind)
    return lambda text: None if text == dialect.null else convert(text)


def _array(kind: DataType, dialect: Dialect) -> Convert:
    check(kind)
    element = _element(kind.children[0], dialect)
    return lambda text: [element(part) for part in text.split(dialect.element_delimiter)] if text else []


def _row(kind: DataType, dialect: Dialect) -> Convert:
    check(kind)
    fields = [(name, _element(child, dialect)) for name, child in zip(kind.names, kind.children, strict=True)]

    def convert(text: str) -> dict[str, Any]:
        parts = text.split(dialect.element_delimiter)
        if len(parts) != len(fields):
            raise BadValueError(f"{len(parts)} elements, where {kind.sql()} has {len(fields)}", "shape")
        return {name: of(part) for (name, of), part in zip(fields, parts, strict=True)}

    return convert
