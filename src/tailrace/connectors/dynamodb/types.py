"""
Which attribute of DynamoDB carries which of Flink's types, both ways.

| Flink                                  | DynamoDB                                                     |
| -------------------------------------- | ------------------------------------------------------------ |
| CHAR VARCHAR STRING                    | S                                                            |
| TINYINT SMALLINT INT BIGINT, DECIMAL   | N, all digits                                                |
| FLOAT DOUBLE                           | N, the shortest text that reads back the same                |
| BOOLEAN                                | BOOL                                                         |
| BINARY VARBINARY BYTES                 | B                                                            |
| DATE TIME TIMESTAMP TIMESTAMP_LTZ      | S: `2026-01-02`, `03:04:05.678`, `2026-01-02T03:04:05.678`, the last with `Z` |
| ARRAY                                  | L; SS, NS and BS are read too                                |
| MAP of texts, ROW                      | M                                                            |
| MULTISET of texts, numbers, bytes      | SS, NS, BS; an empty one is NULL                             |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Context, Decimal
from typing import Any

import polars as pl

from tailrace.connectors.texts import time_text
from tailrace.errors import ConfigError, Location
from tailrace.formats.base import Reject
from tailrace.schema import BINARIES, FLOATS, INTEGERS, STRINGS, TIMESTAMPS, DataType, Field, Kind, Schema
from tailrace.user_functions.columns import column, python_values

Attribute = dict[str, Any]
"""A value as DynamoDB has it: its type and what it is, as `{"N": "7"}`."""

Item = dict[str, Attribute]
"""The attributes of an item by name."""

NULL: Attribute = {"NULL": True}

_NUMBERS = (*INTEGERS, *FLOATS, Kind.DECIMAL)
_TIMES = (Kind.DATE, Kind.TIME, *TIMESTAMPS)
_LETTERS = {
    **dict.fromkeys(_NUMBERS, "N"),
    **dict.fromkeys((*STRINGS, *_TIMES), "S"),
    **dict.fromkeys(BINARIES, "B"),
    Kind.BOOLEAN: "BOOL",
    Kind.ARRAY: "L",
    Kind.MAP: "M",
    Kind.ROW: "M",
}
_SETS = ("SS", "NS", "BS")
_DIGITS = Context(prec=60)
_HINTS = {
    Kind.MAP: "the keys of a map are texts there",
    Kind.MULTISET: "a set there is of texts, numbers or bytes",
    **dict.fromkeys(TIMESTAMPS, "declare at most 6 digits of a second"),
}


def letters(of: DataType) -> str:
    """
    Give the type of the attribute; empty if there is none.

    >>> from tailrace.schema import BIGINT, STRING, multiset
    >>> letters(BIGINT), letters(multiset(STRING))
    ('N', 'SS')
    """
    if of.kind is Kind.MAP and of.children[0].kind not in STRINGS:
        return ""
    if of.kind is Kind.MULTISET:
        found = letters(of.children[0])
        return f"{found}S" if f"{found}S" in _SETS else ""
    if of.kind in TIMESTAMPS and of.precision > 6:
        return ""
    if not all(letters(child) for child in of.children):
        return ""
    return _LETTERS.get(of.kind, "")


def refuse_others(schema: Schema, location: Location | None) -> None:
    """
    Check that each column has a type in DynamoDB.

    Raises:
        ConfigError: one has none.
    """
    for field in schema:
        if not letters(field.type):
            hint = _HINTS.get(field.type.kind, "cast it to a number or a STRING")
            message = f"column '{field.name}' of type {field.type.sql()} has no place in DynamoDB"
            raise ConfigError(message, hint=hint, location=location)


# -- to DynamoDB


def attributes(values: pl.Series, of: DataType) -> list[Attribute]:
    """
    Give a column as attributes; NULL is an attribute too.

    >>> from tailrace.schema import BIGINT
    >>> attributes(pl.Series([7, None]), BIGINT)
    [{'N': '7'}, {'NULL': True}]
    """
    letter = letters(of)
    if of.kind in INTEGERS or of.kind is Kind.DECIMAL:
        return _plain(values.cast(pl.String).to_list(), letter)
    if of.kind is Kind.DATE:
        return _plain(values.cast(pl.String).to_list(), letter)
    if of.kind in _TIMES:
        return _plain(values.to_frame("v").select(_iso(pl.col("v"), of)).to_series().to_list(), letter)
    if of.kind in STRINGS or of.kind in BINARIES or of.kind is Kind.BOOLEAN:
        return _plain(values.to_list(), letter)
    return [_attribute(v, of) for v in python_values(values, of)]


def _plain(values: list[Any], letter: str) -> list[Attribute]:
    return [NULL if v is None else {letter: v} for v in values]


def _iso(value: pl.Expr, of: DataType) -> pl.Expr:
    text = time_text(value, of)
    return text if of.kind is Kind.TIME else text.str.replace(" ", "T", literal=True)


def _attribute(value: Any, of: DataType) -> Attribute:
    """Give one Python value, also inside of others."""
    if value is None:
        return NULL
    kind = of.kind
    if kind is Kind.ARRAY:
        return {"L": [_attribute(v, of.children[0]) for v in value]}
    if kind is Kind.MAP:
        return {"M": {k: _attribute(v, of.children[1]) for k, v in value.items()}}
    if kind is Kind.ROW:
        return {"M": {n: _attribute(value[n], t) for n, t in zip(of.names, of.children, strict=True)}}
    if kind is Kind.MULTISET:
        elements = [_attribute(v, of.children[0]) for v in value if v is not None]
        return {letters(of): [next(iter(e.values())) for e in elements]} if elements else NULL
    return {letters(of): _scalar(value, of)}


def _scalar(value: Any, of: DataType) -> Any:
    if of.kind in FLOATS:
        return _shortest(value, of)
    if of.kind in _TIMES:
        return attributes(pl.Series([value], dtype=of.polars), of)[0]["S"]
    return str(value) if of.kind in _NUMBERS else value


def _shortest(value: float, of: DataType) -> str:
    if of.kind is Kind.FLOAT:
        return str(pl.Series([value], dtype=pl.Float32).cast(pl.String)[0])
    return repr(value)


# -- from DynamoDB


def frame_of(items: Sequence[Mapping[str, Attribute]], schema: Schema) -> tuple[pl.DataFrame, dict[int, Reject]]:
    """
    Give items as columns, and those with a value that is not of its column's type, which is NULL then.

    >>> from tailrace.schema import INT
    >>> frame_of([{"n": {"N": "7"}}, {"n": {"S": "x"}}, {}], Schema((Field("n", INT),)))[0]["n"].to_list()
    [7, None, None]
    """
    bad: dict[int, Reject] = {}
    return pl.DataFrame([_column(items, f, bad) for f in schema]), bad


def _column(items: Sequence[Mapping[str, Attribute]], field: Field, bad: dict[int, Reject]) -> pl.Series:
    given = [item.get(field.name, NULL) for item in items]
    values = [_read_or_note(a, field, row, bad) for row, a in enumerate(given)]
    try:
        made = column(values, field.type)
    except Exception:  # noqa: BLE001  Polars raises of all kinds; each value is looked at now
        for row, value in enumerate(values):
            if not _fits(value, field.type):
                _note(field, row, bad)
                values[row] = None
        made = column(values, field.type)
    if not field.type.nullable:
        for row in made.is_null().arg_true().to_list():
            bad.setdefault(
                row, Reject(row, "missing", f"attribute '{field.name}' is missing, and its column is NOT NULL")
            )
    return made.alias(field.name)


def _fits(value: Any, of: DataType) -> bool:
    try:
        column([value], of)
    except Exception:  # noqa: BLE001  as above
        return False
    return True


def _read_or_note(attribute: Attribute, field: Field, row: int, bad: dict[int, Reject]) -> Any:
    try:
        return _read(attribute, field.type)
    except (ValueError, ArithmeticError, KeyError, TypeError):
        _note(field, row, bad)
        return None


def _note(field: Field, row: int, bad: dict[int, Reject]) -> None:
    reason = f"the value of attribute '{field.name}' is no {field.type.with_nullable(True).sql()}"
    bad.setdefault(row, Reject(row, "type", reason))


def _read(attribute: Attribute, of: DataType) -> Any:
    """
    Read one attribute.

    Raises:
        ValueError, ArithmeticError, KeyError, TypeError: it is of another type.
    """
    ((letter, value),) = attribute.items()
    if letter == "NULL":
        return None
    kind = of.kind
    if kind is Kind.ARRAY and letter in _SETS:
        return [_read({letter[0]: v}, of.children[0]) for v in value]
    if letter != letters(of):
        raise ValueError(letter)
    if kind is Kind.MULTISET:
        return {_read({letter[0]: v}, of.children[0]): 1 for v in value}
    if kind is Kind.ARRAY:
        return [_read(v, of.children[0]) for v in value]
    if kind is Kind.MAP:
        return {k: _read(v, of.children[1]) for k, v in value.items()}
    if kind is Kind.ROW:
        return {n: _read(value.get(n, NULL), t) for n, t in zip(of.names, of.children, strict=True)}
    return _READ[kind](value, of) if kind in _READ else value


def _whole(text: str, _: DataType) -> int:
    number = Decimal(text)
    whole = int(number)
    if whole != number:
        raise ValueError(text)
    return whole


def _exact(text: str, of: DataType) -> Decimal:
    number = Decimal(text)
    fitted = _DIGITS.quantize(number, Decimal(1).scaleb(-of.scale))
    if fitted != number or (number and number.adjusted() >= of.precision - of.scale):
        raise ValueError(text)
    return fitted


def _moment(text: str, of: DataType) -> datetime:
    moment = datetime.fromisoformat(text)
    if (moment.tzinfo is not None) != (of.kind is Kind.TIMESTAMP_LTZ):
        raise ValueError(text)
    return moment


_READ: dict[Kind, Callable[[Any, DataType], Any]] = {
    **dict.fromkeys(INTEGERS, _whole),
    **dict.fromkeys(FLOATS, lambda text, _: float(text)),
    Kind.DECIMAL: _exact,
    Kind.DATE: lambda text, _: date.fromisoformat(text),
    Kind.TIME: lambda text, _: time.fromisoformat(text),
    **dict.fromkeys(TIMESTAMPS, _moment),
}
