"""Values of Avro, as fastavro gives them without their logical types, to values of columns; and how kernels do the same."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from tailrace.formats.avro.types import UNITS, AvroType
from tailrace.formats.kernels import avro_decode as kernel
from tailrace.formats.scalars import BOUNDS, BadValueError
from tailrace.formats.times import Scale, scale_of
from tailrace.schema import BINARIES, FLOATS, INTEGERS, MAPS, STRINGS, TIMESTAMPS, DataType, Kind

Convert = Callable[[Any], Any]
_EXACT = Context(prec=400, traps=[])
_LEAST, _MOST = -(2**63), 2**63 - 1


class MisfitError(Exception):
    """A type of the writer's that a column can't be read from."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"field '{path}' {reason}" if path else f"the schema {reason}")


@dataclass(frozen=True, slots=True)
class Reading:
    """How values of one type become those of a column: by an instruction of the kernel (None: not there), and one by one."""

    convert: Convert
    op: int | None = None
    params: tuple[int, ...] = ()
    symbols: tuple[str | None, ...] = ()


def reading(writer: AvroType, kind: DataType, path: str, reader: AvroType | None = None) -> Reading:
    """
    Find how values are read; `reader` is the type that a reader's schema gives the column, if there is one.

    Raises:
        MisfitError: they can't be, by Avro's rules.
    """
    k = kind.kind
    if k in INTEGERS or k in FLOATS or k is Kind.BOOLEAN:
        return _number(writer, kind, path)
    if k in STRINGS:
        return _string(writer, kind, path, reader)
    if k in BINARIES:
        return _binary(writer, kind, path)
    if k is Kind.DECIMAL:
        return _decimal(writer, kind, path)
    if k in (Kind.DATE, Kind.TIME) or k in TIMESTAMPS:
        return _time(writer, kind, path)
    return _nested(writer, kind, path, reader)


def _misfit(writer: AvroType, kind: DataType, path: str) -> MisfitError:
    return MisfitError(path, f"is {writer}, which can't be read as {kind.sql()}")


def _number(writer: AvroType, kind: DataType, path: str) -> Reading:
    k, of = kind.kind, writer.kind
    if k is Kind.BOOLEAN and of == "boolean":
        return Reading(bool, kernel.BOOLEAN)
    if k in INTEGERS and (of == "int" or (of == "long" and k is Kind.BIGINT)):
        least, most = BOUNDS[k]
        return Reading(_bounded(least, most, kind), kernel.INTEGER, (least, most))
    if k in FLOATS and of in ("int", "long"):
        convert = _single if k is Kind.FLOAT else float
        return Reading(convert, kernel.REAL_OF_INTEGER, (_LEAST, _MOST, k is Kind.FLOAT))
    if k in FLOATS and of == "float":
        return Reading(float, kernel.FLOAT)
    if k is Kind.DOUBLE and of == "double":
        return Reading(float, kernel.DOUBLE)
    raise _misfit(writer, kind, path)


def _single(value: int) -> float:
    # rounded once: from the integer itself
    bits = max(0, abs(value).bit_length() - 24)
    if bits and value:
        unit = 1 << bits
        whole, rest = divmod(abs(value), unit)
        whole += rest * 2 > unit or (rest * 2 == unit and whole & 1)
        return math.copysign(float(whole * unit), value)
    return float(value)


def _bounded(least: int, most: int, kind: DataType) -> Convert:
    def convert(value: int) -> int:
        if not least <= value <= most:
            raise BadValueError(f"out of the range of {kind.sql()}", "range")
        return value

    return convert


def _string(writer: AvroType, kind: DataType, path: str, reader: AvroType | None) -> Reading:
    if writer.kind in ("string", "bytes"):
        return Reading(_text, kernel.STRING)
    if writer.kind == "enum":
        symbols = tuple(_symbol(s, reader) for s in writer.symbols)
        known = dict(zip(writer.symbols, symbols, strict=True))
        return Reading(_known(known), kernel.ENUM, (len(symbols),), symbols)
    if writer.logical == "uuid":
        return Reading(lambda raw: str(uuid.UUID(bytes=raw)))
    raise _misfit(writer, kind, path)


def _symbol(symbol: str, reader: AvroType | None) -> str | None:
    """Give what a reader's enum makes of a symbol."""
    optional = reader.optional if reader is not None else None
    reader = optional[1] if optional else reader
    if reader is None or reader.kind != "enum" or symbol in reader.symbols:
        return symbol
    return reader.default


def _known(symbols: dict[str, str | None]) -> Convert:
    def convert(value: str) -> str:
        symbol = symbols[value]
        if symbol is None:
            raise BadValueError(
                f"the symbol '{value}' is not in the reader's schema, which has no default for it", "enum"
            )
        return symbol

    return convert


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadValueError(f"not UTF-8 from byte {error.start} on", "utf-8") from None


def _binary(writer: AvroType, kind: DataType, path: str) -> Reading:
    if writer.kind in ("bytes", "string"):
        return Reading(lambda raw: raw.encode() if isinstance(raw, str) else raw, kernel.BINARY)
    if writer.kind == "fixed":
        return Reading(bytes, kernel.FIXED, (writer.size,))
    raise _misfit(writer, kind, path)


def _decimal(writer: AvroType, kind: DataType, path: str) -> Reading:
    if writer.kind not in ("bytes", "fixed") or writer.logical not in ("decimal", ""):
        raise _misfit(writer, kind, path)
    scale = writer.scale if writer.logical else kind.scale
    convert = _decimal_of(scale, kind)
    if scale != kind.scale:
        return Reading(convert)
    if writer.kind == "fixed":
        return Reading(convert, kernel.DECIMAL_FIXED, (kind.precision, writer.size))
    return Reading(convert, kernel.DECIMAL, (kind.precision,))


def _decimal_of(scale: int, kind: DataType) -> Convert:
    unit = Decimal(1).scaleb(-kind.scale)

    def convert(raw: bytes) -> Decimal:
        if not raw:
            raise BadValueError("a decimal of no bytes", "type")
        if len(raw) > 64:
            raise BadValueError(f"does not fit {kind.sql()}", "range")
        exact = Decimal(int.from_bytes(raw, "big", signed=True)).scaleb(-scale, _EXACT)
        rounded = exact.quantize(unit, ROUND_HALF_UP, _EXACT)
        if rounded.adjusted() >= kind.precision - kind.scale and rounded:
            raise BadValueError(f"does not fit {kind.sql()}", "range")
        return rounded or Decimal(0).scaleb(-kind.scale)

    return convert


def _time(writer: AvroType, kind: DataType, path: str) -> Reading:
    """Read dates and times; a number without a logical type is taken as the column's own."""
    k = kind.kind
    if writer.kind not in ("int", "long"):
        raise _misfit(writer, kind, path)
    if k is Kind.DATE:
        if writer.kind != "int" or writer.logical not in ("date", ""):
            raise _misfit(writer, kind, path)
        return _scaled(scale_of(kind))
    family = "time-" if k is Kind.TIME else "timestamp-"
    if writer.logical and not writer.logical.removeprefix("local-").startswith(family):
        raise _misfit(writer, kind, path)
    if k is Kind.TIME:
        return _scaled(scale_of(kind, UNITS.get(writer.logical, 10**3 if writer.kind == "int" else 10**6)))
    return _scaled(scale_of(kind, UNITS.get(writer.logical)))


def _scaled(scale: Scale) -> Reading:
    params = (scale.least, scale.most, scale.times, scale.parts, scale.grain)
    return Reading(scale.value, kernel.TIME, params)


def _nested(writer: AvroType, kind: DataType, path: str, reader: AvroType | None) -> Reading:
    k = kind.kind
    given = _inner(reader)
    if k is Kind.ARRAY and writer.kind == "array":
        item = nullable(writer.item, kind.children[0], f"{path}[]", given.items if given else None)
        return Reading(lambda values: [item(v) for v in values])
    if k in MAPS and writer.kind == "map" and kind.entry[0].kind in STRINGS:
        of = nullable(writer.item, kind.entry[1], f"{path}{{}}", given.items if given else None)
        return Reading(lambda values: [{"key": key, "value": of(v)} for key, v in values.items()])
    if k is Kind.ROW and writer.kind == "record":
        return Reading(_record(writer, kind, path, given))
    raise _misfit(writer, kind, path)


def _inner(reader: AvroType | None) -> AvroType | None:
    optional = reader.optional if reader is not None else None
    return optional[1] if optional else reader


def _record(writer: AvroType, kind: DataType, path: str, reader: AvroType | None) -> Convert:
    parts: list[tuple[str, str, Convert]] = []
    constants: dict[str, Any] = {}
    for name, child in zip(kind.names, kind.children, strict=True):
        source = find(writer, name, reader)
        of = next((f for f in reader.fields if f.name == name), None) if reader is not None else None
        if source is None:
            constants[name] = missing(name, child, f"{path}.{name}", reader)
        else:
            convert = nullable(source.type, child, f"{path}.{name}", of.type if of else None)
            parts.append((name, source.name, convert))

    def read(value: dict[str, Any]) -> dict[str, Any]:
        return {name: convert(value[source]) for name, source, convert in parts} | constants

    return read


def find(writer: AvroType, name: str, reader: AvroType | None) -> Any:
    """Find the field of a writer's record that a name of a reader stands for: by the name, or by one of its aliases."""
    by_name = {f.name: f for f in writer.fields}
    if name in by_name:
        return by_name[name]
    of = next((f for f in reader.fields if f.name == name), None) if reader is not None else None
    return next((by_name[a] for a in of.aliases if a in by_name), None) if of is not None else None


def missing(name: str, kind: DataType, path: str, reader: AvroType | None) -> Any:
    """
    Give the value of a field that the writer does not have: the reader's default, or NULL.

    Raises:
        MisfitError: it has none.
    """
    of = next((f for f in reader.fields if f.name == name), None) if reader is not None else None
    if of is not None and of.has_default:
        optional = of.type.optional
        if of.default is None:
            return None
        inner = of.type if optional is None else optional[1]
        try:
            return reading(inner, kind, path, inner).convert(raw_default(of.default, inner))
        except (BadValueError, ValueError, TypeError, KeyError) as error:
            raise MisfitError(path, f"has a default that can't be read as {kind.sql()}: {error}") from None
    if kind.nullable:
        return None
    raise MisfitError(path, "is not there, has no default, and the column is NOT NULL")


def raw_default(default: Any, given: AvroType) -> Any:
    """Give a default as fastavro gives values: bytes are texts in JSON, one character each."""
    if given.kind in ("bytes", "fixed"):
        return default.encode("latin-1")
    if given.kind == "array":
        return [raw_default(v, given.item) for v in default]
    if given.kind == "map":
        return {k: raw_default(v, given.item) for k, v in default.items()}
    if given.kind == "record":
        return {f.name: raw_default(default.get(f.name, f.default), f.type) for f in given.fields}
    if given.kind == "union":
        return None if default is None else raw_default(default, given.branches[0])
    return default


def nullable(writer: AvroType, kind: DataType, path: str, reader: AvroType | None) -> Convert:
    """Give what reads values that may be null."""
    if writer.kind == "null":
        return lambda _: None
    optional = writer.optional
    if writer.kind == "union" and optional is None:
        raise MisfitError(path, f"is a {writer}: only a union with null can be read")
    if optional is None:
        return reading(writer, kind, path, reader).convert
    convert = reading(optional[1], kind, path, reader).convert
    return lambda value: None if value is None else convert(value)
