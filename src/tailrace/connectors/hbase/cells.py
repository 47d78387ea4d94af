"""
Values as the bytes of cells and back, as HBase's own `Bytes` and Flink write them.

| Flink                          | bytes                                                |
| ------------------------------ | ---------------------------------------------------- |
| BOOLEAN                        | one, 0 or -1                                         |
| TINYINT SMALLINT INT BIGINT    | 1, 2, 4, 8, the highest first                        |
| FLOAT DOUBLE                   | 4, 8, IEEE 754, the highest first                    |
| DECIMAL                        | 4 with the scale, then the unscaled number           |
| STRING, BYTES                  | UTF-8, as they are                                   |
| DATE, TIME                     | 4: days since 1970, milliseconds of the day          |
| TIMESTAMP, TIMESTAMP_LTZ up to 3 | 8: milliseconds since 1970                         |
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from tailrace.errors import ConfigError, Location, TerminalError
from tailrace.schema import BINARIES, STRINGS, TIMESTAMPS, DataType, Field, Kind, Schema
from tailrace.user_functions.columns import column

_NUMBERS = {
    Kind.TINYINT: ">b",
    Kind.SMALLINT: ">h",
    Kind.INT: ">i",
    Kind.BIGINT: ">q",
    Kind.FLOAT: ">f",
    Kind.DOUBLE: ">d",
}
_EPOCH = date(1970, 1, 1)
_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def refuse_others(schema: Schema, location: Location | None) -> None:
    """
    Check that each column can be a cell.

    Raises:
        ConfigError: one can't.
    """
    for field in schema:
        kind = field.type.kind
        plain = (*_NUMBERS, *STRINGS, *BINARIES, Kind.BOOLEAN, Kind.DECIMAL, Kind.DATE, Kind.TIME)
        if kind in plain or (kind in TIMESTAMPS and field.type.precision <= 3):
            continue
        hint = "declare TIMESTAMP(3)" if kind in TIMESTAMPS else "write its fields as columns"
        message = f"column '{field.name}' of type {field.type.sql()} has no place in a cell of HBase"
        raise ConfigError(message, hint=hint, location=location)


def encoder(of: DataType) -> Callable[[Any], bytes]:
    """
    Give what makes bytes of a value.

    >>> from tailrace.schema import INT
    >>> encoder(INT)(-2).hex()
    'fffffffe'
    """
    kind = of.kind
    if kind in _NUMBERS:
        return struct.Struct(_NUMBERS[kind]).pack
    if kind in STRINGS:
        return str.encode
    if kind in BINARIES:
        return bytes
    return _ENCODERS[kind]


def _decimal(value: Decimal) -> bytes:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    return struct.pack(">i", -exponent) + number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def _of_decimal(data: bytes) -> Decimal:
    (scale,) = struct.unpack(">i", data[:4])
    return Decimal(int.from_bytes(data[4:], "big", signed=True)).scaleb(-scale)


def _of_day(value: time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000


def _after(size: str, data: bytes) -> datetime:
    milliseconds: int = struct.unpack(size, data)[0]
    return _MOMENT + milliseconds * _MILLISECOND


def _time(data: bytes) -> time:
    return _after(">i", data).time()


def _milliseconds(value: datetime) -> bytes:
    moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return struct.pack(">q", (moment - _MOMENT) // _MILLISECOND)


def _moment(data: bytes) -> datetime:
    return _after(">q", data)


_ENCODERS: dict[Kind, Callable[[Any], bytes]] = {
    Kind.BOOLEAN: lambda v: b"\xff" if v else b"\0",
    Kind.DECIMAL: _decimal,
    Kind.DATE: lambda v: struct.pack(">i", (v - _EPOCH).days),
    Kind.TIME: lambda v: struct.pack(">i", _of_day(v)),
    Kind.TIMESTAMP: _milliseconds,
    Kind.TIMESTAMP_LTZ: _milliseconds,
}
_DECODERS: dict[Kind, Callable[[bytes], Any]] = {
    Kind.BOOLEAN: lambda data: data != b"\0",
    Kind.DECIMAL: _of_decimal,
    Kind.DATE: lambda data: _EPOCH + timedelta(days=struct.unpack(">i", data)[0]),
    Kind.TIME: _time,
    Kind.TIMESTAMP: lambda data: _moment(data).replace(tzinfo=None),
    Kind.TIMESTAMP_LTZ: _moment,
}


def decoder(of: DataType) -> Callable[[bytes], Any]:
    """
    Give what makes a value of bytes; it raises for those that are none.

    >>> from tailrace.schema import INT
    >>> decoder(INT)(bytes.fromhex("fffffffe"))
    -2
    """
    kind = of.kind
    if kind in _NUMBERS:
        unpack = struct.Struct(_NUMBERS[kind]).unpack
        return lambda data: unpack(data)[0]
    if kind in STRINGS:
        return bytes.decode
    return bytes if kind in BINARIES else _DECODERS[kind]


def encoded(values: Sequence[Any], of: DataType) -> list[bytes | None]:
    """Give the values of a column as bytes; None for NULL."""
    make = encoder(of)
    return [None if v is None else make(v) for v in values]


def series(cells: Sequence[bytes | None], field: Field, what: str) -> pl.Series:
    """
    Give bytes as a column; of a type without empty values, no bytes are NULL (as Flink writes it).

    Raises:
        TerminalError: some are no value of the type; `what` is where.
    """
    read, empty = decoder(field.type), field.type.kind in (*STRINGS, *BINARIES)
    try:
        values = [None if c is None or not (c or empty) else read(c) for c in cells]
        return column(values, field.type).alias(field.name)
    except Exception:  # noqa: BLE001  struct, the decoders and Polars raise of all kinds
        message = f"{what}: a cell of column '{field.name}' is no {field.type.sql()}"
        raise TerminalError(message, hint="mend the type of the column") from None
