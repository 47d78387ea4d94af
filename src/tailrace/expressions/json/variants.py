"""Values of VARIANT: each as the one JSON text that Flink writes for it, with sorted keys and plain numbers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from tailrace.expressions.casts.writing import java_double
from tailrace.expressions.json.text import NotJsonError, first_value, write

_MOST = 38
"""The digits of a decimal, and of its fraction."""


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def variant(text: str, duplicates: bool = False) -> str:
    """
    Give a JSON text as VARIANT; what stands behind the first value is left alone.

    Of a key that comes twice the last value counts with `duplicates`.

    >>> variant('{"b": 1.50, "a": [1e2, null]} and more')
    '{"a":[100.0,null],"b":1.5}'

    Raises:
        NotJsonError: it is none, or an object has a key twice.
    """
    return _text(first_value(text, _LAST_COUNTS if duplicates else _ONCE))


def _text(value: Any) -> str:
    match value:
        case dict():
            keys = sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))
            return "{" + ",".join(f"{_quoted(k)}:{_text(value[k])}" for k in keys) + "}"
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case _Number():
            return value
        case str():
            return _quoted(value)
    return write(value)


def _quoted(text: str) -> str:
    # half of a character that needs two is written as a question mark
    return write(text.encode("utf-8", "replace").decode())


def _whole(text: str) -> _Number:
    if len(text) <= _MOST + 1 and len(text.removeprefix("-")) <= _MOST:
        return _Number(int(text))
    return _Number(java_double(float(text)))


def _fraction(text: str) -> _Number:
    """Give a number with a point or an exponent: as a decimal, if it is short enough and has no exponent."""
    whole, _, fraction = text.removeprefix("-").partition(".")
    digits = len((whole + fraction).lstrip("0"))
    if "e" in text.lower() or digits > _MOST or len(fraction) > _MOST:
        return _Number(java_double(float(text)))
    short = text.rstrip("0").removesuffix(".")
    return _Number("0" if not Decimal(short) else short)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        raise NotJsonError("an object has a key twice")
    return out


def _no_number(word: str) -> NoReturn:
    raise NotJsonError(f"{word} is no JSON")


_ONCE, _LAST_COUNTS = (
    json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=_no_number, object_pairs_hook=hook)
    for hook in (_once, dict)
)
