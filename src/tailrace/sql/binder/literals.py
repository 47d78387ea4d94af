"""Constants as written to typed literals."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from tailrace import schema as t
from tailrace.expressions.nodes import Literal
from tailrace.schema import DataType, Kind
from tailrace.sql.dialect.nodes import Constant, Hex, Interval, Node, Number, Temporal, Text, Unary, get

_MILLISECONDS = {"WEEK": 604_800_000, "DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1000}
_MONTHS = {"YEAR": 12, "QUARTER": 3, "MONTH": 1}
_ORDER = ("DAY", "HOUR", "MINUTE", "SECOND")
_PATTERNS = {"DAY": r"(\d+)", "HOUR": r"(\d+)", "MINUTE": r"(\d+)", "SECOND": r"(\d+(?:\.\d{1,9})?)"}
_BETWEEN = {"DAY": " ", "HOUR": ":", "MINUTE": ":"}
_LIMITS = {"HOUR": 24, "MINUTE": 60, "SECOND": 60}
_TIMESTAMP = re.compile(r"(\d{4}-\d{1,2}-\d{1,2}) (\d{1,2}:\d{1,2}:\d{1,2})(?:\.(\d{1,9}))?")


def literal(node: Node) -> Literal | None:
    """
    Give the typed constant that a node means; None for a node that is none.

    Raises:
        ValueError: the text is none of its type.
    """
    match node:
        case Text():
            return Literal(t.char(len(node.this)).with_nullable(False), node.this)
        case Number():
            return number(str(node.this))
        case Unary() if get(node, "op") == "-" and isinstance(node.this, Number):
            return number("-" + str(node.this.this))
        case Hex():
            value = bytes.fromhex(node.this)
            return Literal(DataType(Kind.BINARY, nullable=False, length=len(value)), value)
        case Constant():
            return _constant(str(node.this))
        case Temporal():
            return _temporal(str(get(node, "kind")), str(node.this))
        case Interval():
            return _interval(node)
    return None


def symbol(text: str) -> Literal:
    """Give a keyword as the argument of a function."""
    return Literal(t.char(len(text)).with_nullable(False), text)


def number(text: str) -> Literal:
    """Give a numeric constant: INT, BIGINT, DECIMAL, or DOUBLE with an exponent."""
    if "e" in text.lower():
        return Literal(t.DOUBLE.with_nullable(False), float(text))
    whole, _, fraction = text.lstrip("+-").partition(".")
    if int(whole + fraction) >= 2**63 + (text.startswith("-") and not fraction):
        raise ValueError(f"{text} is out of range; write it as CAST('{text}' AS DECIMAL(38, {len(fraction)}))")
    if not fraction:
        value = int(text.removesuffix("."))
        return Literal((t.INT if -(2**31) <= value < 2**31 else t.BIGINT).with_nullable(False), value)
    # each digit that was written counts, also a zero before the point
    return Literal(t.decimal(len(whole + fraction), len(fraction)).with_nullable(False), Decimal(text))


def _constant(word: str) -> Literal:
    if word == "NULL":
        return Literal(t.NULL, None)
    if word == "UNKNOWN":
        return Literal(t.BOOLEAN, None)
    return Literal(t.BOOLEAN.with_nullable(False), word == "TRUE")


def _temporal(kind: str, text: str) -> Literal:
    if kind == "DATE":
        return Literal(t.DATE.with_nullable(False), _read_date(text))
    if kind == "TIME":
        return _time(text)
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise ValueError(f"'{text}' is no TIMESTAMP; write TIMESTAMP '2024-05-31 12:30:00.123'")
    day, clock, fraction = match.groups()
    if fraction and len(fraction.rstrip("0")) > 6:
        raise ValueError(f"'{text}' has more than microseconds")
    value = datetime.combine(_read_date(day), _read_time(clock, fraction or ""))
    return Literal(t.timestamp(len(fraction or "")).with_nullable(False), value)


def _time(text: str) -> Literal:
    return Literal(t.time_type(0).with_nullable(False), _read_time(text.partition(".")[0], ""))


def _read_date(text: str) -> date:
    try:
        year, month, day = (int(x) for x in text.split("-"))
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"'{text}' is no date; write DATE '2024-05-31'") from None


def _read_time(text: str, fraction: str) -> time:
    try:
        hour, minute, second = (int(x) for x in text.split(":"))
        return time(hour, minute, second, int(fraction[:6].ljust(6, "0")))
    except ValueError:
        raise ValueError(f"'{text}' is no time of day; write TIME '12:30:00'") from None


def _interval(node: Interval) -> Literal:
    unit, to, text = str(get(node, "unit")), get(node, "to"), str(node.this).strip()
    negative = bool(get(node, "negative")) != text.startswith("-")
    value = _length(unit, to, text.lstrip("+-"))
    kind = t.INTERVAL_MONTH if unit in _MONTHS else t.INTERVAL_SECOND
    return Literal(kind.with_nullable(False), -value if negative else value)


def _length(unit: str, to: str | None, text: str) -> int:
    if to is None:
        return _single(unit, text)
    if (unit, to) == ("YEAR", "MONTH"):
        match = re.fullmatch(r"(\d+)-(\d{1,2})", text)
        if not match or int(match[2]) > 11:
            raise ValueError(f"'{text}' is no INTERVAL YEAR TO MONTH; write it as '1-6'")
        return int(match[1]) * 12 + int(match[2])
    if unit not in _ORDER or to not in _ORDER or _ORDER.index(unit) >= _ORDER.index(to):
        raise ValueError(f"there is no INTERVAL {unit} TO {to}")
    return _range(_ORDER[_ORDER.index(unit) : _ORDER.index(to) + 1], text)


def _single(unit: str, text: str) -> int:
    if unit in _MONTHS and text.isdigit():
        return int(text) * _MONTHS[unit]
    if unit in _MILLISECONDS and re.fullmatch(r"\d+(\.\d{1,9})?" if unit == "SECOND" else r"\d+", text):
        return int(Decimal(text) * _MILLISECONDS[unit])
    raise ValueError(f"'{text}' is no INTERVAL {unit}; write a whole number in the quotes")


def _range(units: tuple[str, ...], text: str) -> int:
    pattern = "".join(_PATTERNS[u] + (_BETWEEN[u] if u != units[-1] else "") for u in units)
    match = re.fullmatch(pattern, text)
    if not match:
        example = "".join(
            {"DAY": "1", "SECOND": "30"}.get(u, "10") + (_BETWEEN[u] if u != units[-1] else "") for u in units
        )
        raise ValueError(f"'{text}' is no INTERVAL {units[0]} TO {units[-1]}; write it as '{example}'")
    for unit, part in zip(units[1:], match.groups()[1:], strict=True):
        if Decimal(part) >= _LIMITS[unit]:
            raise ValueError(f"'{text}' has {part} as its {unit}, which is less than {_LIMITS[unit]}")
    return int(sum(Decimal(p) * _MILLISECONDS[u] for u, p in zip(units, match.groups(), strict=True)))
