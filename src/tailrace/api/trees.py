"""Pieces of the syntax tree out of Python values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from tailrace.api.places import Place, place
from tailrace.errors import ConfigError
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import parse
from tailrace.sql.dialect.flink import generate
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
    """Give one part of a name."""
    return placed(n.Identifier(this=text))


def name(*parts: str) -> n.Name:
    """Give a name with its parts."""
    return placed(n.Name(parts=[identifier(p) for p in parts]))


def literal(value: Any) -> n.Node:
    """
    Give a Python value as SQL has it.

    Raises:
        ConfigError: SQL has no literal for it.

    >>> from tailrace.sql.dialect.flink import generate
    >>> print(generate(literal([1, Decimal("2.50")])), generate(literal(timedelta(seconds=90))))
    ARRAY[1, 2.50] INTERVAL '90' SECOND
    """
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
            return n.Constructor(kind="ARRAY", arguments=[literal(v) for v in value])
        case tuple():
            return n.Constructor(kind="ROW", arguments=[literal(v) for v in value])
        case Mapping():
            return n.Constructor(kind="MAP", arguments=[literal(v) for pair in value.items() for v in pair])
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
    found = _parsed(f"SELECT CAST(NULL AS {text})", text, "data type").find(n.Cast)
    assert found is not None
    kind: n.Type = found.args["type"]
    return kind


def expression(text: str) -> n.Node:
    """
    Give the tree of an expression that is written in SQL.

    Raises:
        ConfigError: it is none.
    """
    found = _parsed(f"SELECT ({text}\n)", text, "expression").find(n.SelectItem)
    assert found is not None
    node: n.Node = found.this
    return node


def pattern(text: str, after: str) -> dict[str, n.Node | bool | None]:
    """
    Give the parts of a MATCH_RECOGNIZE that are written in words of SQL: PATTERN and AFTER MATCH SKIP.

    Raises:
        ConfigError: they are not written so.
    """
    sql = f"SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP {after} PATTERN ({text}) DEFINE a AS TRUE)"  # noqa: S608  it is parsed only
    found = _parsed(sql, f"{text}' after match skip '{after}", "pattern").find(n.MatchSource)
    assert found is not None
    return {key: found.args.get(key) for key in ("pattern", "skip", "strict_start", "strict_end")}


def _parsed(sql: str, text: str, what: str) -> n.Node:
    where = place()
    try:
        found = parse(Source(sql, where.file))
    except ConfigError as error:
        message = f"'{text}' is no {what}: {error.message}"
        raise ConfigError(message, hint=error.hint, location=where.location()) from None
    if len(found) != 1:
        raise ConfigError(f"'{text}' is no {what}", location=where.location())
    return everywhere(found[0], where)


def everywhere(node: N, where: Place) -> N:
    """Let all nodes of a tree that know no other place remember a caller's line."""
    for part in node.walk():
        part.meta.setdefault("source", where)
    return node


def texts(names: Iterable[str]) -> list[n.Identifier]:
    """Give several names of one part."""
    return [identifier(x) for x in names]
