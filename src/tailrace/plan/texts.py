"""Expressions, windows and lengths of time as text, as in SQL."""

from __future__ import annotations

from datetime import date, datetime, time

from tailrace.expressions.nodes import Call, Cast, Column, Expr, Literal, UserCall
from tailrace.plan.nodes import WindowKind, WindowSpec
from tailrace.schema import Kind

_INFIX = frozenset(("+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "||", "LIKE"))


_UNITS = ((86_400_000, "DAY"), (3_600_000, "HOUR"), (60_000, "MINUTE"), (1000, "SECOND"))


def expression(expr: Expr) -> str:
    """
    Give an expression as SQL.

    >>> from tailrace.schema import INTERVAL_SECOND
    >>> expression(Literal(INTERVAL_SECOND, 5000))
    "INTERVAL '5' SECOND"
    """
    match expr:
        case Column():
            return expr.name
        case Literal():
            return _literal(expr)
        case Cast():
            word = "TRY_CAST" if expr.safe else "CAST"
            return f"{word}({expression(expr.arg)} AS {expr.type.sql()})"
        case Call():
            inner = [expression(a) for a in expr.args]
            if expr.function in _INFIX and len(inner) == 2:
                return f"({inner[0]} {expr.function} {inner[1]})"
            return f"{expr.function}({', '.join(inner)})"
        case UserCall():
            return f"{expr.function.name}({', '.join(expression(a) for a in expr.args)})"
    return str(expr)


def window(spec: WindowSpec) -> str:
    """
    Give a window as SQL writes it.

    >>> window(WindowSpec(WindowKind.TUMBLE, "ts", 60_000, 60_000))
    "TUMBLE(ts, INTERVAL '1' MINUTE)"
    """
    if spec.attached:
        return f"of {spec.time_column}"
    one = spec.kind in (WindowKind.TUMBLE, WindowKind.SESSION)
    lengths = [spec.size] if one else [spec.slide, spec.size]
    offset = [spec.offset] if spec.offset else []
    return f"{spec.kind.value}({', '.join([spec.time_column, *map(interval, [*lengths, *offset])])})"


def _literal(expr: Literal) -> str:
    value = expr.value
    if value is None:
        return "NULL"
    if expr.type.kind is Kind.INTERVAL_SECOND:
        return interval(value)
    if expr.type.kind is Kind.INTERVAL_MONTH:
        return f"INTERVAL '{value}' MONTH"
    if isinstance(value, (date, datetime, time)):
        return f"{expr.type.kind.value} '{value}'"
    if isinstance(value, bytes):
        return f"X'{value.hex().upper()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper() if isinstance(value, bool) else str(value)


def interval(milliseconds: int) -> str:
    """
    Write a length of time as in SQL.

    >>> interval(90_000), interval(-86_400_000)
    ("INTERVAL '90' SECOND", "INTERVAL -'1' DAY")
    """
    sign, length = "-" if milliseconds < 0 else "", abs(milliseconds)
    for size, unit in _UNITS:
        if length and length % size == 0:
            return f"INTERVAL {sign}'{length // size}' {unit}"
    return f"INTERVAL {sign}'{length / 1000:g}' SECOND"


def by_keys(keys: tuple[str, ...]) -> str:
    """
    Say by which keys; nothing without any.

    >>> by_keys(("a", "b"))
    ' by (a, b)'
    """
    return f" by ({', '.join(keys)})" if keys else ""
