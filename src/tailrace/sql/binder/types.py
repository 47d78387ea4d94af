"""Types as written to logical types."""

from __future__ import annotations

from collections import Counter

from tailrace import schema as t
from tailrace.errors import ConfigError
from tailrace.schema import DataType, Kind
from tailrace.sql.binder.places import at
from tailrace.sql.dialect.nodes import Type, get
from tailrace.sql.source import Source

_DEFAULTS = {"CHAR": 1, "VARCHAR": 1, "BINARY": 1, "VARBINARY": 1, "TIME": 0, "TIMESTAMP": 6, "TIMESTAMP_LTZ": 6}
_STRINGS = ("CHAR", "VARCHAR", "BINARY", "VARBINARY")
_FIXED = {"STRING": t.STRING, "BYTES": t.BYTES, "NULL": t.NULL}


def data_type(node: Type, source: Source) -> DataType:
    """
    Give the logical type that a type in the text means.

    Raises:
        ConfigError: a precision, scale or length out of bounds, or two fields of one name.
    """
    made = _data_type(node, source)
    return made.with_nullable(not get(node, "not_null"))


def _data_type(node: Type, source: Source) -> DataType:
    name = str(node.this)
    numbers = [int(x) for x in get(node, "numbers") or ()]
    if name == "ROW":
        return _row(node, source)
    if children := get(node, "children"):
        return DataType(Kind[name], children=tuple(data_type(c, source) for c in children))
    if name in _FIXED:
        return _FIXED[name]
    if name == "DECIMAL":
        return _decimal(node, numbers, source)
    if name not in _DEFAULTS:
        return DataType(Kind[name])
    return _with_number(node, name, numbers[0] if numbers else _DEFAULTS[name], source)


def _with_number(node: Type, name: str, number: int, source: Source) -> DataType:
    low, high = (1, t.MAX_LENGTH) if name in _STRINGS else (0, 9)
    if not low <= number <= high:
        raise _wrong(node, source, f"{name}({number}) is out of bounds: from {low} to {high}")
    if name in _STRINGS:
        return DataType(Kind[name], length=number)
    return DataType(Kind[name], precision=number)


def _decimal(node: Type, numbers: list[int], source: Source) -> DataType:
    precision, scale = [*numbers, *(10, 0)[len(numbers) :]]
    if not 1 <= precision <= 38:
        raise _wrong(node, source, f"the precision of DECIMAL is from 1 to 38, not {precision}")
    if not 0 <= scale <= precision:
        raise _wrong(node, source, f"the scale of DECIMAL({precision}, s) is from 0 to {precision}, not {scale}")
    return t.decimal(precision, scale)


def _row(node: Type, source: Source) -> DataType:
    fields = get(node, "fields") or []
    names = [f.args["name"].this for f in fields]
    for name, count in Counter(names).items():
        if count > 1:
            raise _wrong(node, source, f"the field '{name}' is given {count} times")
    return DataType(Kind.ROW, names=tuple(names), children=tuple(data_type(f.args["type"], source) for f in fields))


def _wrong(node: Type, source: Source, message: str) -> ConfigError:
    return ConfigError(message, location=at(node, source))
