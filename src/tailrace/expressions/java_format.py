"""The formats of Java's `String.format`, for PRINTF."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tailrace.errors import UnsupportedError
from tailrace.expressions.casts import java_double
from tailrace.schema import FLOATS, INTEGERS, Kind

_SPEC = re.compile(r"%(?:(\d+)\$|(<))?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")
_BITS = {Kind.TINYINT: 8, Kind.SMALLINT: 16, Kind.INT: 32, Kind.BIGINT: 64}


class FormatError(ValueError):
    """Java would refuse the format, or its use for this value."""


def java_format(pattern: str, values: Sequence[Any], kinds: Sequence[Kind]) -> str:
    """
    Fill values into a format.

    Raises:
        FormatError: the format is none, lacks a value, or has one of the wrong type.

    >>> java_format("%05d|%-5s|%.2f", [42, "ab", 2.345], [Kind.INT, Kind.VARCHAR, Kind.DOUBLE])
    '00042|ab   |2.35'
    """
    out, at, ordinary, last = [], 0, 0, -1
    for match in _SPEC.finditer(pattern):
        out.append(_plain(pattern[at : match.start()]))
        at = match.end()
        if match[6] in "%n":
            out.append("%" if match[6] == "%" else "\n")
            continue
        if match[1]:
            last = int(match[1]) - 1
        elif not match[2]:
            last, ordinary = ordinary, ordinary + 1
        if not 0 <= last < len(values):
            raise FormatError(f"there is no value for '{match[0]}'")
        out.append(_formatted(match, values[last], kinds[last]))
    return "".join([*out, _plain(pattern[at:])])


def _plain(text: str) -> str:
    if "%" in text:
        raise FormatError(f"'{text}' has a % without a conversion")
    return text


def _formatted(match: re.Match[str], value: Any, kind: Kind) -> str:
    flags, width, conversion = match[3], int(match[4] or 0), match[6]
    if ("-" in flags or "0" in flags) and not width:
        raise FormatError(f"'{match[0]}' needs a width")
    text = _text(flags, match[5], conversion.lower(), value, kind)
    if "0" in flags and kind in (*INTEGERS, *FLOATS) and value is not None:
        sign = text[0] if text[:1] in "+-( " else ""
        text = sign + text[len(sign) :].rjust(width - len(sign), "0")
    padded = text.ljust(width) if "-" in flags else text.rjust(width)
    return padded.upper() if conversion.isupper() else padded


def _text(flags: str, precision: str | None, conversion: str, value: Any, kind: Kind) -> str:
    match conversion:
        case "s":
            return _shown(value, kind)[: int(precision) if precision else None]
        case "b":
            return str(value if isinstance(value, bool) else value is not None).lower()
        case "c":
            return _character(value, kind)
        case "d" | "x" | "o":
            return _whole(flags, conversion, value, kind)
        case "f" | "e" | "g":
            return _fraction(flags, int(precision) if precision else 6, conversion, value, kind)
    if conversion in "hat":
        raise UnsupportedError(f"PRINTF has no conversion %{conversion} here")
    raise FormatError(f"there is no conversion %{conversion}")


def _shown(value: Any, kind: Kind) -> str:
    """Give what Java's `toString` gives for a value inside Flink."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if kind in FLOATS:
        return java_double(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def _character(value: Any, kind: Kind) -> str:
    if value is None:
        return "null"
    if kind not in INTEGERS:
        raise FormatError("%c takes the code of a character")
    return chr(value)


def _whole(flags: str, conversion: str, value: Any, kind: Kind) -> str:
    if value is None:
        return "null"
    if kind not in INTEGERS:
        raise FormatError(f"%{conversion} takes whole numbers")
    if conversion == "d":
        return _signed(flags, value < 0, format(abs(value), "," if "," in flags else ""))
    digits = format(value & (2 ** _BITS[kind] - 1), conversion)
    return ({"x": "0x", "o": "0"}[conversion] if "#" in flags else "") + digits


def _signed(flags: str, negative: bool, digits: str) -> str:
    if negative:
        return f"({digits})" if "(" in flags else f"-{digits}"
    return ("+" if "+" in flags else " " if " " in flags else "") + digits


def _fraction(flags: str, precision: int, conversion: str, value: Any, kind: Kind) -> str:
    if value is None:
        return "null"[:precision]
    if kind not in FLOATS:
        raise FormatError(f"%{conversion} takes FLOAT and DOUBLE")
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - the test for NaN
        return java_double(value)
    number = abs(Decimal(repr(value)))
    if conversion == "g":
        precision = precision or 1
        shown = number.quantize(Decimal(1).scaleb(number.adjusted() - precision + 1), ROUND_HALF_UP)
        scientific = number != 0 and not Decimal("1e-4") <= shown < Decimal(10) ** precision
        precision -= 1 if scientific or not number else shown.adjusted() + 1
        conversion = "e" if scientific else "f"
    if conversion == "e":
        exponent = number.adjusted() if number else 0
        digits = number.scaleb(-exponent).quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)
        if digits >= 10:
            digits, exponent = digits / 10, exponent + 1
        text = f"{digits:.{precision}f}e{exponent:+03d}"
    else:
        text = format(number.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP), ",f" if "," in flags else "f")
    return _signed(flags, value < 0, text)
