"""Schemas and values of Avro for tests, and the other side: fastavro."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
from collections.abc import Iterator
from decimal import Context, Decimal
from typing import Any

import fastavro
from hypothesis import strategies as st

from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.deriving import columns
from tailrace.formats.avro.types import parse
from tailrace.formats.base import Decoded, Rows
from tailrace.schema import Schema

Json = dict[str, Any]


def written(schema: Any, values: list[Any]) -> list[bytes]:
    """Let fastavro write values."""
    parsed = fastavro.parse_schema(schema)
    out = []
    for value in values:
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, parsed, value)
        out.append(buffer.getvalue())
    return out


def read(schema: Any, rows: list[bytes]) -> list[Any]:
    """Let fastavro read rows."""
    parsed = fastavro.parse_schema(schema)
    return [fastavro.schemaless_reader(io.BytesIO(row), parsed, None) for row in rows]


def record(*fields: Any, name: str = "R") -> Json:
    """Make a record of fields, each a name and a type (and more, as JSON)."""
    made = [f if isinstance(f, dict) else {"name": f[0], "type": f[1]} for f in fields]
    return {"type": "record", "name": name, "fields": made}


def logical(of: str, kind: str, /, **more: Any) -> Json:
    """Make a logical type."""
    return {"type": of, "logicalType": kind, **more}


def decode(schema: Any, rows: list[bytes | None], columns_: Schema | None = None, reader: Any = None) -> Decoded:
    """Decode rows in a block and one by one, and insist that both give the same."""
    from both_ways import same  # noqa: PLC0415  it imports all formats

    writer = parse(json.dumps(schema))
    of_reader = None if reader is None else parse(json.dumps(reader))
    wanted = columns_ or columns(writer)
    fast, slow = (AvroDecoder(writer, wanted, of_reader, fast=f).decode(Rows.of(rows)) for f in (True, False))
    return same(fast, slow)


_DAY = 86_400
_TIMES = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))
_ZONED = _TIMES.map(lambda t: t.replace(tzinfo=dt.UTC))


def exact(number: int, scale: int) -> Decimal:
    """Give number / 10**scale with all of its digits."""
    return Decimal(number).scaleb(-scale, Context(prec=100))


def _decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    return st.integers(-most, most).map(lambda n: exact(n, scale))


def _cut(times: st.SearchStrategy[Any], micros: int) -> st.SearchStrategy[Any]:
    return times.map(lambda t: t.replace(microsecond=t.microsecond // micros * micros))


def scalars() -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    """Give types with the values that they have, as fastavro takes and gives them."""
    floats = st.floats(allow_nan=False, width=32)
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    precisions = st.integers(1, 38).flatmap(lambda p: st.tuples(st.just(p), st.integers(0, p)))
    return st.one_of(
        st.sampled_from(
            [
                ("boolean", st.booleans()),
                ("int", st.integers(-(2**31), 2**31 - 1)),
                ("long", st.integers(-(2**63), 2**63 - 1)),
                ("float", floats),
                ("double", st.floats(allow_nan=False)),
                ("string", text),
                ("bytes", st.binary(max_size=40)),
                (logical("int", "date"), st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))),
                (logical("int", "time-millis"), _cut(st.times(), 1000)),
                (logical("long", "time-micros"), st.times()),
                (logical("long", "timestamp-millis"), _cut(_ZONED, 1000)),
                (logical("long", "timestamp-micros"), _ZONED),
                (logical("long", "local-timestamp-millis"), _cut(_TIMES, 1000)),
                (logical("long", "local-timestamp-micros"), _TIMES),
                (logical("string", "uuid"), st.uuids()),
            ]
        ),
        precisions.map(lambda p: (logical("bytes", "decimal", precision=p[0], scale=p[1]), _decimals(*p))),
        st.integers(0, 10**9).flatmap(
            lambda n: precisions.map(
                lambda p: (
                    logical("fixed", "decimal", precision=p[0], scale=p[1], size=17, name=f"D{n}"),
                    _decimals(*p),
                )
            )
        ),
        st.integers(0, 10**9).map(
            lambda n: ({"type": "enum", "name": f"E{n}", "symbols": ["A", "B", "C"]}, st.sampled_from(["A", "B", "C"]))
        ),
        st.tuples(st.integers(0, 10**9), st.integers(1, 20)).map(
            lambda n: ({"type": "fixed", "name": f"F{n[0]}", "size": n[1]}, st.binary(min_size=n[1], max_size=n[1]))
        ),
    )


def _optional(given: tuple[Any, Any]) -> tuple[Any, Any]:
    return ["null", given[0]], st.none() | given[1]


def _optional_last(given: tuple[Any, Any]) -> tuple[Any, Any]:
    return [given[0], "null"], st.none() | given[1]


def _record(parts: tuple[int, list[tuple[Any, Any]]]) -> tuple[Any, Any]:
    number, fields = parts
    schema = record(*((f"f{i}", f[0]) for i, f in enumerate(fields)), name=f"N{number}")
    return schema, st.fixed_dictionaries({f"f{i}": f[1] for i, f in enumerate(fields)})


def types() -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    """Give types, nested ones too."""

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        of = inner | inner.filter(lambda g: not isinstance(g[0], list)).map(_optional)
        keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
        return st.one_of(
            of.map(lambda g: ({"type": "array", "items": g[0]}, st.lists(g[1], max_size=4))),
            of.map(lambda g: ({"type": "map", "values": g[0]}, st.dictionaries(keys, g[1], max_size=4))),
            st.tuples(st.integers(0, 10**9), st.lists(of, min_size=1, max_size=4)).map(_record),
        )

    return st.recursive(scalars(), nested, max_leaves=6)


def _named(given: Any, numbers: Iterator[int]) -> Any:
    """Give every named type a name of its own."""
    if isinstance(given, list):
        return [_named(g, numbers) for g in given]
    if not isinstance(given, dict):
        return given
    out = {k: _named(v, numbers) if k in ("type", "items", "values", "fields") else v for k, v in given.items()}
    if given.get("type") in ("record", "enum", "fixed"):
        out["name"] = f"{given['name'][0]}{next(numbers)}"
    return out


@st.composite
def records(draw: st.DrawFn) -> tuple[Any, list[Any]]:
    """Give a record's schema with some values of it."""
    plain = types()
    optional = plain.filter(lambda g: not isinstance(g[0], list))
    fields = draw(st.lists(plain | optional.map(_optional) | optional.map(_optional_last), min_size=1, max_size=6))
    schema = _named(record(*((f"c{i}", f[0]) for i, f in enumerate(fields))), itertools.count())
    values = draw(
        st.lists(st.fixed_dictionaries({f"c{i}": f[1] for i, f in enumerate(fields)}), min_size=1, max_size=5)
    )
    return schema, values
