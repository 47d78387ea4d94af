"""The slow path of JSON: one row at a time, every value of every type, by one documented policy."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import msgspec

from tailrace.schema import BINARIES, INTEGERS, STRINGS, DataType, Kind, Schema

Convert = Callable[[Any], Any]

_RANGES = {Kind.TINYINT: 7, Kind.SMALLINT: 15, Kind.INT: 31, Kind.BIGINT: 63}
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?")


class BadValueError(ValueError):
    """A value does not fit its column; the text says why without showing it."""


def parse(row: bytes) -> dict[str, Any]:
    """
    Read one row as an object; numbers with a fraction or exponent are exact decimals.

    Raises:
        BadValueError: it is no JSON object.
    """
    try:
        value = _DECODER.decode(row)
    except (msgspec.DecodeError, ValueError, RecursionError, InvalidOperation) as error:
        raise BadValueError(f"no valid JSON: {_reason(error)}") from None
    if not isinstance(value, dict):
        raise BadValueError("the row is JSON, but no object")
    return value


def _reason(error: Exception) -> str:
    text = str(error)
    return "nested too deeply" if isinstance(error, RecursionError) else text[:120]


def converters(schema: Schema, separator: str) -> list[tuple[str, Convert]]:
    """Give the name and converter of each column."""
    return [(f.name, converter(f.type, separator)) for f in schema]


def converter(kind: DataType, separator: str) -> Convert:
    """Give what turns a parsed JSON value into the Python value of a type; None stays None."""
    inner = _converter(kind, separator)
    return lambda value: None if value is None else inner(value)


def _converter(kind: DataType, separator: str) -> Convert:
    k = kind.kind
    if k in INTEGERS:
        return lambda v: _integer(v, _RANGES[k], kind)
    if k in STRINGS:
        return _text
    if k in BINARIES:
        return _bytes
    if k is Kind.ARRAY:
        item = converter(kind.children[0], separator)
        return lambda v: [item(x) for x in _expect(v, list, kind)]
    if k is Kind.MAP:
        return _map_converter(kind, separator)
    if k is Kind.ROW:
        parts = [(n, converter(c, separator)) for n, c in zip(kind.names, kind.children, strict=True)]
        return lambda v: {n: c(_expect(v, dict, kind).get(n)) for n, c in parts}
    simple: dict[Kind, Convert] = {
        Kind.BOOLEAN: _boolean,
        Kind.FLOAT: _floating,
        Kind.DOUBLE: _floating,
        Kind.DECIMAL: lambda v: _decimal(v, kind),
        Kind.DATE: _date,
        Kind.TIME: _time,
        Kind.TIMESTAMP: lambda v: stamp(v, separator, kind),
        Kind.TIMESTAMP_LTZ: lambda v: stamp(v, separator, kind),
    }
    return simple[k]


def _map_converter(kind: DataType, separator: str) -> Convert:
    value = converter(kind.children[1], separator)
    key = converter(kind.children[0], separator)
    return lambda v: [{"key": key(a), "value": value(b)} for a, b in _expect(v, dict, kind).items()]


def _expect(value: Any, python: type, kind: DataType) -> Any:
    if not isinstance(value, python):
        raise BadValueError(f"{_name(value)} is no {kind.sql()}")
    return value


def _name(value: Any) -> str:
    names = {str: "a text", bool: "a boolean", int: "a number", Decimal: "a number", dict: "an object", list: "an array"}
    return names.get(type(value), "a value")


def _number(value: Any, kind: str) -> Decimal:
    """Take a number, or a text that is one; never infinite."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise BadValueError(f"{_name(value)} is no {kind}")
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise BadValueError(f"{_name(value)} is no {kind}") from None
    if not number.is_finite():
        raise BadValueError(f"{_name(value)} is no {kind}")
    return number


def _integer(value: Any, bits: int, kind: DataType) -> int:
    number = _number(value, kind.sql())
    if number.adjusted() > 20 or number != number.to_integral_value():
        raise BadValueError(f"a number is no {kind.sql()}")
    whole = int(number)
    if not -(1 << bits) <= whole < 1 << bits:
        raise BadValueError(f"a number is out of the range of {kind.sql()}")
    return whole


def _floating(value: Any) -> float:
    if isinstance(value, str) and value.strip() in ("NaN", "Infinity", "-Infinity"):
        return float(value.strip().replace("Infinity", "inf"))
    number = float(_number(value, "DOUBLE"))
    if math.isinf(number):
        raise BadValueError("a number is out of the range of DOUBLE")
    return number


def _decimal(value: Any, kind: DataType) -> Decimal:
    number = _number(value, kind.sql())
    if number and number.adjusted() >= kind.precision - kind.scale + 1:
        raise BadValueError(f"a number has too many digits for {kind.sql()}")
    rounded = number.quantize(Decimal(1).scaleb(-kind.scale), ROUND_HALF_UP, _CONTEXT)
    if rounded and rounded.adjusted() >= kind.precision - kind.scale:
        raise BadValueError(f"a number has too many digits for {kind.sql()}")
    return rounded


_CONTEXT = __import__("decimal").Context(prec=80)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise BadValueError(f"{_name(value)} is no BOOLEAN")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value, enc_hook=str).decode()
    return str(value)


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(_expect(value, str, DataType(Kind.VARBINARY)), validate=True)
    except binascii.Error:
        raise BadValueError("a text is no base64") from None


def _date(value: Any) -> dt.date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise BadValueError(f"{_name(value)} is no DATE (YYYY-MM-DD)")
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise BadValueError("a text is no DATE (YYYY-MM-DD)") from None


def _time(value: Any) -> dt.time:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise BadValueError(f"{_name(value)} is no TIME (HH:MM:SS)")
    try:
        return dt.time(int(match[1]), int(match[2]), int(match[3]), int((match[4] or "0")[:6].ljust(6, "0")))
    except ValueError:
        raise BadValueError("a text is no TIME (HH:MM:SS)") from None


def stamp(value: Any, separator: str, kind: DataType) -> int:
    """Give a timestamp as units (of the type's precision) since 1970."""
    shape = f"YYYY-MM-DD{separator}HH:MM:SS[.f]" + ("Z" if kind.kind is Kind.TIMESTAMP_LTZ else "")
    bad = BadValueError(f"{_name(value)} is no {kind.sql()} ({shape})")
    if not isinstance(value, str) or len(value) < 19 or value[10] != separator:
        raise bad
    if kind.kind is Kind.TIMESTAMP_LTZ:
        if not value.endswith("Z"):
            raise bad
        value = value[:-1]
    match = _TIME.fullmatch(value[11:])
    if match is None:
        raise bad
    try:
        days = (_date(value[:10]) - dt.date(1970, 1, 1)).days
        dt.time(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise bad from None
    unit = {"ms": 3, "us": 6, "ns": 9}[kind.time_unit]
    if unit == 9 and abs(days) > 106_000:
        raise BadValueError(f"a time is out of the range of {kind.sql()}")
    seconds = days * 86400 + int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
    return int(seconds * 10**unit + int((match[4] or "0").ljust(9, "0")[:unit]))
