"""JSON texts as Flink reads and writes them: numbers keep their digits, keys come sorted."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")
_FIRST = json.JSONDecoder()
_SPACES = " \t\r\n"
_HALVES = re.compile(r"\\(?:u[dD][89aAbB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)")
_ESCAPE = re.compile(r"\\(?:u00[0-9a-f]{2}|.)")


class NotJsonError(ValueError):
    """A text is no JSON."""


def read(text: str) -> Any:
    """
    Give the value of a JSON text; what stands behind its end is left alone.

    >>> read('{"a": 2.50} and more')
    {'a': Decimal('2.50')}

    Raises:
        NotJsonError: it is none.
    """
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _read_first(text)


def _read_first(text: str) -> Any:
    # half of a character that needs two is written as a question mark
    stripped = _HALVES.sub(lambda m: "?" if m[1] else m[0], text.lstrip(_SPACES))
    try:
        return _DECODER.decode(stripped[: _decoded(stripped, _FIRST)[1]])
    except (msgspec.DecodeError, UnicodeEncodeError, ValueError, RecursionError):
        raise NotJsonError("the text is no JSON") from None


def first_value(text: str, decoder: json.JSONDecoder) -> Any:
    """
    Give the first value in a text as a decoder reads it; what stands behind it is left alone.

    Raises:
        NotJsonError: there is none.
    """
    try:
        return _decoded(text.lstrip(_SPACES), decoder)[0]
    except NotJsonError:
        raise
    except (ValueError, RecursionError):
        raise NotJsonError("the text is no JSON") from None


def _decoded(text: str, decoder: json.JSONDecoder) -> tuple[Any, int]:
    """Give the value at the beginning of a text, and where it ends."""
    value, end = decoder.raw_decode(text)
    # a number or a word ends at a space only
    if text[end - 1] not in '}]"' and text[end:] and not text[end].isspace():
        raise NotJsonError("the text is no JSON")
    return value, end


def write(value: Any) -> str:
    """
    Write a value; the keys of objects are sorted.

    >>> write({"b": Decimal("2.50"), "a": [None, True, "x"]})
    '{"a":[null,true,"x"],"b":2.50}'
    """
    text = _ENCODER.encode(value).decode()
    return _ESCAPE.sub(_upper, text) if "\\u00" in text else text


def _upper(match: re.Match[str]) -> str:
    """Write the digits of an escaped control character as Flink does: with capitals."""
    found = match.group()
    return found[:2] + found[2:].upper() if found[1] == "u" else found
