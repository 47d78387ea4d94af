"""
What an accumulator may be made of, and how it is written: MessagePack, never pickle.

Decimals, dates and times have no word in MessagePack: they are texts with a mark, so that they come back as what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

KINDS = "None, bool, int (64 bits), float, str, bytes, Decimal, datetime, date, timedelta, and lists, tuples and dicts (with str or int as keys) of those"

_PLAIN = (type(None), bool, int, float, str, bytes)
_TUPLE = 5
_WRITE: dict[type, tuple[int, Callable[[Any], str]]] = {
    Decimal: (1, str),
    datetime: (2, datetime.isoformat),
    date: (3, date.isoformat),
    timedelta: (4, lambda t: f"{t.days} {t.seconds} {t.microseconds}"),
}
_READ: dict[int, Callable[[str], Any]] = {
    1: Decimal,
    2: datetime.fromisoformat,
    3: date.fromisoformat,
    4: lambda text: timedelta(*map(int, text.split())),
}


def packed(value: Any) -> bytes:
    """
    Write a value.

    >>> unpacked(packed({"n": 2, "sum": Decimal("1.50"), "seen": [(1, None)]}))
    {'n': 2, 'sum': Decimal('1.50'), 'seen': [(1, None)]}

    Raises:
        TypeError: it is made of something that can't be written.
        OverflowError: it has a whole number of more than 64 bits.
    """
    return msgspec.msgpack.encode(_plain(value))


def unpacked(data: bytes) -> Any:
    """Read a value that `packed` wrote."""
    return msgspec.msgpack.decode(data, ext_hook=_extended)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_plain(v) for v in value]
    if kind is dict:
        wrong = next((k for k in value if type(k) not in (str, int)), None)
        if wrong is not None:
            raise TypeError(f"the key {wrong!r} of a dict is {type(wrong).__name__}")
        return {k: _plain(v) for k, v in value.items()}
    if kind is tuple:
        return msgspec.msgpack.Ext(_TUPLE, msgspec.msgpack.encode([_plain(v) for v in value]))
    if kind not in _WRITE:
        raise TypeError(f"{value!r:.80} is {kind.__module__}.{kind.__qualname__}")
    code, write = _WRITE[kind]
    return msgspec.msgpack.Ext(code, write(value).encode())


def _extended(code: int, data: memoryview) -> Any:
    if code == _TUPLE:
        return tuple(unpacked(bytes(data)))
    return _READ[code](bytes(data).decode())
