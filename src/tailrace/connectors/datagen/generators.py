"""Columns of made-up values: one function for each family of types, over whole arrays of row numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import nanoarrow
import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.connectors import draws
from tailrace.connectors.datagen.options import FieldSpec
from tailrace.engine.decimals import from_halves
from tailrace.errors import UnsupportedError
from tailrace.schema import INTEGERS, INTERVALS, MAX_LENGTH, STRINGS, Kind

I64 = npt.NDArray[np.int64]

_BITS = {Kind.TINYINT: 8, Kind.SMALLINT: 16, Kind.INT: 32, Kind.BIGINT: 64, Kind.INTERVAL_MONTH: 32}
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows to make: their numbers, and the time of each in milliseconds since 1970."""

    numbers: I64
    times: I64

    def repeated(self, count: int) -> Rows:
        """Give `count` numbers for each row, for the elements of a list."""
        numbers = np.repeat(self.numbers * count, count) + np.tile(np.arange(count, dtype=np.int64), len(self.numbers))
        return Rows(numbers, np.repeat(self.times, count))


Generator = Callable[[Rows], pl.Series]


def generator(spec: FieldSpec, seed: int) -> Generator:
    """
    Make the generator of a column.

    Raises:
        ConfigError: its options do not go with its type.
    """
    of = draws.stream(seed, spec.path)
    made = _sequence(spec) if spec.options["kind"] == "sequence" else _random(spec, of, seed)
    rate = spec.options["null-rate"]
    if rate and not spec.type.nullable:
        raise spec.fail("null-rate", "can't be given for a column that is NOT NULL")
    return _with_nulls(made, rate, draws.stream(seed, f"{spec.path}/null")) if rate else made


def _with_nulls(inner: Generator, rate: float, of: int) -> Generator:
    def make(rows: Rows) -> pl.Series:
        values = inner(rows)
        keep = pl.Series(draws.unit(of, rows.numbers) >= rate)
        return pl.select(pl.when(keep).then(values)).to_series()

    return make


def sequence_length(spec: FieldSpec) -> int | None:
    """Give how many rows a sequence has; None for a column that is none."""
    if spec.options["kind"] != "sequence":
        return None
    for key in ("start", "end"):
        if spec.options[key] is None:
            raise spec.fail("kind", f"= 'sequence' also needs 'fields.{spec.path}.{key}'")
    if spec.options["end"] < spec.options["start"]:
        raise spec.fail("end", "is before its start")
    return int(spec.options["end"] - spec.options["start"] + 1)


def _sequence(spec: FieldSpec) -> Generator:
    kind = spec.type.kind
    if kind not in (*INTEGERS, *STRINGS, Kind.FLOAT, Kind.DOUBLE, Kind.DECIMAL):
        raise spec.fail("kind", f"can't be 'sequence' for {spec.type}")
    sequence_length(spec)
    _check_fits(spec)
    start, polars = spec.options["start"], spec.type.polars
    return lambda rows: pl.Series(rows.numbers + start).cast(polars)


def _check_fits(spec: FieldSpec) -> None:
    for key in ("start", "end"):
        wanted = pl.Series([spec.options[key]], dtype=pl.Int64)
        if wanted.cast(spec.type.polars, strict=False).null_count():
            raise spec.fail(key, f"does not fit {spec.type}")


def _random(spec: FieldSpec, of: int, seed: int) -> Generator:
    kind = spec.type.kind
    if kind is Kind.VARIANT:
        raise UnsupportedError(
            f"datagen makes no values of VARIANT, as for '{spec.path}'", hint="make a STRING, and PARSE_JSON of it"
        )
    if kind in INTEGERS or kind in INTERVALS:
        return _integers(spec, of)
    if kind in (Kind.FLOAT, Kind.DOUBLE):
        return _floats(spec, of)
    if kind is Kind.DECIMAL:
        return _decimals(spec, of)
    if kind is Kind.BOOLEAN:
        return lambda rows: pl.Series(draws.bits(of, rows.numbers) >> np.uint64(63)).cast(pl.Boolean)
    if kind in STRINGS:
        return _texts(spec, of)
    if kind in (Kind.BINARY, Kind.VARBINARY):
        return _binaries(spec, of)
    if spec.parts:
        return _nested(spec, seed)
    return _times(spec, of)


def _limits(spec: FieldSpec, low: int, high: int, scale: int = 0) -> tuple[int, int]:
    """Read min and max (in units of 10^-scale), each within `low` and `high`."""
    limits = [_limit(spec, "min", low, high, scale), _limit(spec, "max", low, high, scale)]
    least, most = (
        given if given is not None else fallback for given, fallback in zip(limits, (low, high), strict=True)
    )
    if least > most:
        raise spec.fail("min" if limits[0] is not None else "max", "leaves no value: min is above max")
    return least, most


def _limit(spec: FieldSpec, key: str, low: int, high: int, scale: int) -> int | None:
    text = spec.options[key]
    if text is None:
        return None
    try:
        value = Decimal(text.strip()).scaleb(scale)
        whole = int(value)
    except (InvalidOperation, ValueError, OverflowError):
        raise spec.fail(key, f"can't be {text!r}: expected a number") from None
    if whole != value or not low <= whole <= high:
        raise spec.fail(key, f"can't be {text!r}: it does not fit {spec.type}")
    return whole


def _integers(spec: FieldSpec, of: int) -> Generator:
    half = 1 << (_BITS.get(spec.type.kind, 64) - 1)
    low, high = _limits(spec, -half, half - 1)
    polars = spec.type.polars
    return lambda rows: pl.Series(draws.between(of, rows.numbers, low, high)).cast(polars)


def _floats(spec: FieldSpec, of: int) -> Generator:
    largest = float(np.finfo(np.float32 if spec.type.kind is Kind.FLOAT else np.float64).max)
    low, high = (_float_limit(spec, key, sign * largest) for key, sign in (("min", -1), ("max", 1)))
    if low > high:
        raise spec.fail("min", "is above max")
    polars = spec.type.polars

    def make(rows: Rows) -> pl.Series:
        share = draws.unit(of, rows.numbers)
        return pl.Series(low * (1 - share) + high * share).cast(polars)

    return make


def _float_limit(spec: FieldSpec, key: str, fallback: float) -> float:
    text = spec.options[key]
    if text is None:
        return fallback
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise spec.fail(key, f"can't be {text!r}: expected a number")
    return value


def _decimals(spec: FieldSpec, of: int) -> Generator:
    top = 10**spec.type.precision - 1
    low, high = _limits(spec, -top, top, spec.type.scale)
    polars, scale = spec.type.polars, spec.type.scale
    span = high - low + 1

    def make(rows: Rows) -> pl.Series:
        if span <= draws.FULL:
            offset = draws.between(of, rows.numbers, 0, span - 1).view(np.uint64)
            return _sum(low, offset, np.zeros_like(offset), scale).cast(polars)
        # a wide range is cut in steps that fit 64 bits; the draw of the step leaves out the last, shorter one
        steps = span >> 64
        coarse = draws.between(of, rows.numbers, 0, steps - 1, word=1).view(np.uint64)
        return _sum(low, draws.bits(of, rows.numbers), coarse, scale).cast(polars)

    return make


def _sum(low: int, offset: npt.NDArray[np.uint64], upper: npt.NDArray[np.uint64], scale: int) -> pl.Series:
    """Give `low` + (`upper` * 2^64 + `offset`) as a decimal."""
    base_low, base_high = np.uint64(low % draws.FULL), np.uint64((low >> 64) % draws.FULL)
    total = offset + base_low
    carry = (total < offset).astype(np.uint64)
    return from_halves(total, upper + base_high + carry, scale)


def _length(spec: FieldSpec, default: int) -> int:
    """Read the length of texts or bytes, which the type bounds."""
    declared = spec.type.length
    given = spec.options["length"]
    if given is None:
        return default if declared == MAX_LENGTH else declared
    if given > declared or (spec.type.kind in (Kind.CHAR, Kind.BINARY) and given != declared):
        raise spec.fail("length", f"can't be {given} for {spec.type}")
    return int(given)


def _sizes(spec: FieldSpec, of: int, rows: Rows, length: int) -> I64:
    if not spec.options["var-len"]:
        return np.full(len(rows.numbers), length, dtype=np.int64)
    return draws.between(of, rows.numbers, min(1, length), length, word=1 << 20)


def _texts(spec: FieldSpec, of: int) -> Generator:
    length = _length(spec, 100)
    if spec.options["var-len"] and spec.type.kind is Kind.CHAR:
        raise spec.fail("var-len", f"can't be given for {spec.type}")

    def make(rows: Rows) -> pl.Series:
        pairs = draws.raw_bytes(of, rows.numbers, -(-length // 2))
        digits = np.stack([_HEX[pairs >> 4], _HEX[pairs & 15]], axis=2).reshape(len(pairs), -1)[:, :length]
        return _strings(digits, _sizes(spec, of, rows, length), nanoarrow.string())

    return make


def _binaries(spec: FieldSpec, of: int) -> Generator:
    length = _length(spec, 100)

    def make(rows: Rows) -> pl.Series:
        return _strings(draws.raw_bytes(of, rows.numbers, length), _sizes(spec, of, rows, length), nanoarrow.binary())

    return make


def _strings(cells: npt.NDArray[np.uint8], sizes: I64, kind: object) -> pl.Series:
    """Make a column of the first `sizes` bytes of each line."""
    offsets = np.zeros(len(sizes) + 1, dtype=np.int32)
    np.cumsum(sizes, out=offsets[1:])
    data = cells[np.arange(cells.shape[1]) < sizes[:, None]]
    if not len(sizes):
        return pl.Series([], dtype=pl.String if kind == nanoarrow.string() else pl.Binary)
    return pl.Series(nanoarrow.c_array_from_buffers(kind, len(sizes), [None, offsets, data], null_count=0))


def _times(spec: FieldSpec, of: int) -> Generator:
    past = spec.options["max-past"]
    kind, polars = spec.type.kind, spec.type.polars

    def make(rows: Rows) -> pl.Series:
        times = rows.times - draws.between(of, rows.numbers, 0, past) if past else rows.times
        if kind is Kind.DATE:
            return pl.Series((times // _DAY).astype(np.int32)).cast(polars)
        if kind is Kind.TIME:
            return pl.Series(times % _DAY * 1_000_000).cast(polars)
        return pl.Series(times).cast(pl.Datetime("ms")).cast(polars)

    return make


def _nested(spec: FieldSpec, seed: int) -> Generator:
    parts = {re.sub(r".*\.", "", p.path): generator(p, seed) for p in spec.parts}
    if spec.type.kind is Kind.ROW:
        parts = dict(zip(spec.type.names, parts.values(), strict=True))
        return lambda rows: pl.DataFrame({n: make(rows) for n, make in parts.items()}).to_struct()
    count = 3 if spec.options["length"] is None else int(spec.options["length"])
    if spec.type.kind is Kind.ARRAY:
        return lambda rows: _lists(parts["element"](rows.repeated(count)), len(rows.numbers), count)

    def make_map(rows: Rows) -> pl.Series:
        inner = rows.repeated(count)
        entries = pl.DataFrame({"key": parts["key"](inner), "value": parts["value"](inner)}).to_struct()
        once = pl.element().filter(pl.element().struct.field("key").is_first_distinct())
        return _lists(entries, len(rows.numbers), count).list.eval(once)

    return make_map


def _lists(flat: pl.Series, rows: int, count: int) -> pl.Series:
    """Cut a column into lists of `count`."""
    if not count:
        return pl.Series([[]] * rows, dtype=pl.List(flat.dtype))
    number = pl.Series("row", np.repeat(np.arange(rows, dtype=np.int64), count))
    return pl.DataFrame([number, flat.alias("flat")]).group_by("row", maintain_order=True).agg("flat")["flat"]
