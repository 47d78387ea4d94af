"""Pieces of the syntax tree out of Python values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from tailrace.api.places import Place, place
from tailrace.errors import ConfigError
from tailrace.sql.dialect import flink, parse_expression, parse_pattern, parse_skip, parse_type, too_deep
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

__all__ = [
    "everywhere",
    "expression",
    "generate",
    "identifier",
    "interval",
    "literal",
    "name",
    "pattern",
    "placed",
    "texts",
    "type_tree",
]

N = TypeVar("N", bound=n.Node)
T = TypeVar("T")

_LONGEST_SHOWN = 80

_UNITS = {
    "DAY": timedelta(days=1),
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "SECOND": timedelta(seconds=1),
}


def placed(node: N, where: Place | None = None) -> N:
    """Let a node (not those below it) remember the caller's line."""
    node.meta["source"] = where or place()
    return node


def identifier(text: str) -> n.Identifier:
    """
    Give one part of a name.

    Raises:
        ConfigError: it begins with `$`, as in SQL it can't.
    """
    if text.startswith("$"):
        hint = "such names are the engine's own"
        raise ConfigError(f"a name can't begin with $ as {text} does", hint=hint, location=place().location())
    return placed(n.Identifier(this=text))


def name(*parts: str) -> n.Name:
    """Give a name with its parts."""
    return placed(n.Name(parts=[identifier(p) for p in parts]))


def literal(value: Any) -> n.Node:
    """
    Give a Python value as SQL has it.

    Raises:
        ConfigError: SQL has no literal for it.

    >>> print(generate(literal([1, Decimal("2.50")])), generate(literal(timedelta(seconds=90))))
    ARRAY[1, 2.50] INTERVAL '90' SECOND
    """
    try:
        return _literal(value)
    except RecursionError:
        raise too_deep(place().location()) from None


def _literal(value: Any) -> n.Node:
    match value:
        case None:
            node: n.Node = n.Constant(this="NULL")
        case bool():
            node = n.Constant(this=str(value).upper())
        case int() | Decimal():
            node = _number(format(value, "f") if isinstance(value, Decimal) else str(value))
        case float():
            node = _float(value)
        case str():
            node = n.Text(this=value)
        case bytes():
            node = n.Hex(this=value.hex())
        case datetime() | date() | time():
            node = _temporal(value)
        case timedelta():
            node = interval(value)
        case _:
            node = _nested(value)
    return placed(node)


def _nested(value: Any) -> n.Node:
    match value:
        case list():
            return n.Constructor(kind="ARRAY", arguments=[_literal(v) for v in value])
        case tuple():
            return n.Constructor(kind="ROW", arguments=[_literal(v) for v in value])
        case Mapping():
            return n.Constructor(kind="MAP", arguments=[_literal(v) for pair in value.items() for v in pair])
    message = f"a value of type {type(value).__name__} can't stand in a query"
    hint = "give a bool, int, float, Decimal, str, bytes, date, time, datetime, timedelta, list, tuple, dict or None"
    raise ConfigError(message, hint=hint, location=place().location())


def _number(text: str) -> n.Node:
    if text.startswith("-"):
        return n.Unary(op="-", this=placed(n.Number(this=text[1:])))
    return n.Number(this=text)


def _float(value: float) -> n.Node:
    text = repr(value)
    if text.lstrip("-") in ("nan", "inf"):
        word = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[text]
        return n.Cast(this=placed(n.Text(this=word)), type=type_tree("DOUBLE"), safe=False)
    return _number(text if "e" in text else f"{text}e0")  # without an exponent it would be a DECIMAL


def _temporal(value: datetime | date | time) -> n.Node:
    if isinstance(value, datetime) and value.tzinfo is not None:
        text = placed(n.Temporal(kind="TIMESTAMP", this=str(value.astimezone(UTC).replace(tzinfo=None))))
        return n.Cast(this=text, type=type_tree("TIMESTAMP_LTZ(6)"), safe=False)
    kind = "TIMESTAMP" if isinstance(value, datetime) else "DATE" if isinstance(value, date) else "TIME"
    return n.Temporal(kind=kind, this=str(value))


def interval(value: timedelta) -> n.Interval:
    """
    Give a span of time as an interval, in the largest unit of which it is a whole number below 100.

    Calcite takes no more than two digits without a precision.

    Raises:
        ConfigError: it has a part below a millisecond, which intervals have not.
    """
    if value.microseconds % 1000:
        message = f"{value} has a part below a millisecond"
        raise ConfigError(message, hint="give whole milliseconds", location=place().location())
    negative, span = value < timedelta(0), abs(value)
    for unit, one in _UNITS.items():
        count, rest = divmod(span, one)
        if not rest and (count < 100 or unit == "DAY"):
            return placed(n.Interval(this=str(count), unit=unit, negative=negative))
    minutes, seconds = divmod(span.seconds, 60)
    clock = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{span.microseconds // 1000:03}"
    text = f"{span.days} {clock}"
    return placed(n.Interval(this=text, unit="DAY", to="SECOND", negative=negative))


def type_tree(text: str) -> n.Type:
    """
    Give the tree of a type that is written as in SQL.

    Raises:
        ConfigError: there is no such type.
    """
    return _parsed(parse_type, text, "data type")


def expression(text: str) -> n.Node:
    """
    Give the tree of an expression that is written in SQL.

    Raises:
        ConfigError: it is none.
    """
    return _parsed(parse_expression, text, "expression")


def pattern(text: str, after: str) -> dict[str, n.Node | bool]:
    """
    Give the parts of a MATCH_RECOGNIZE that are written in words of SQL: PATTERN and AFTER MATCH SKIP.

    Raises:
        ConfigError: they are not written so.
    """
    parts = _parsed(parse_pattern, text, "pattern")
    found = parts["pattern"]
    assert isinstance(found, n.Node)
    everywhere(found, place())
    return {**parts, "skip": _parsed(parse_skip, after, "way to go on after a match")}


def generate(node: n.Node) -> str:
    """
    Write a tree as SQL.

    Raises:
        ConfigError: it is nested too deeply.
    """
    try:
        return flink.generate(node)
    except RecursionError:
        raise too_deep(place().location()) from None


def _parsed(parse: Callable[[Source], T], text: str, what: str) -> T:
    """Give what a text is parsed into; its nodes stand at the caller's line."""
    where = place()
    try:
        found = parse(Source(text, where.file))
    except ConfigError as error:
        message = f"'{_short(text)}' is no {what}: {error.message}"
        raise type(error)(message, hint=error.hint, location=where.location()) from None
    return everywhere(found, where) if isinstance(found, n.Node) else found


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def everywhere(node: N, where: Place) -> N:
    """Let all nodes of a tree that know no other place remember a caller's line."""
    for part in node.walk():
        part.meta.setdefault("source", where)
    return node


def texts(names: Iterable[str]) -> list[n.Identifier]:
    """Give several names of one part."""
    return [identifier(x) for x in names]
