"""Values from text; NULL where a text is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

import polars as pl

from tailrace.expressions.decimals import divide_half_up, fit, lit
from tailrace.expressions.zones import to_instant
from tailrace.schema import FLOATS, INTEGERS, DataType, Kind

_BLANKS = "".join(map(chr, range(33)))
_INTEGER = r"^([+-]?\d*)(?:\.\d*)?$"
_FLOAT = r"^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?$"
_DECIMAL = r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$"
_SCIENTIFIC = r"^[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+$"
_DATE = r"^\s*(\d{1,4})\s*(?:-\s*(\d{1,2})\s*(?:-\s*(\d{1,2})\s*)?)?$"
_TIME = r"^(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?)?$"
_TIMESTAMP = r"^\d{4}-\d{1,2}-\d{1,2}(?: \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,9})?)?$"
_FIRST_NS, _LAST_NS = "1678", "2261"
_MOST = 38


def from_text(value: pl.Expr, target: DataType, timezone: str) -> pl.Expr:
    """Read a value from text."""
    k = target.kind
    if k in INTEGERS:
        return _integer(value.str.strip_chars(" "), target)
    if k in FLOATS:
        return value.map_batches(lambda s: floats_of(s, target), return_dtype=target.polars)
    if k is Kind.DECIMAL:
        return value.map_batches(lambda s: decimals_of(s, target), return_dtype=target.polars)
    if k is Kind.BOOLEAN:
        low = value.str.to_lowercase()
        true, false = low.is_in(["true", "t", "yes", "y", "1"]), low.is_in(["false", "f", "no", "n", "0"])
        return pl.when(true).then(pl.lit(value=True)).when(false).then(pl.lit(value=False))
    if k is Kind.DATE:
        return date_of(value)
    if k is Kind.TIME:
        return time_of(value)
    local = value.map_batches(lambda s: timestamps_of(s, target), return_dtype=pl.Datetime(target.time_unit))
    return to_instant(local, timezone) if k is Kind.TIMESTAMP_LTZ else local


def _integer(text: pl.Expr, target: DataType) -> pl.Expr:
    digits = text.str.extract(_INTEGER, 1).str.strip_prefix("+")
    point = digits.is_not_null() & text.str.contains(".", literal=True)
    number = pl.when(digits.str.contains(r"\d")).then(digits).when(point).then(pl.lit("0"))
    return number.cast(target.polars, strict=False)


def floats_of(texts: pl.Series, target: DataType) -> pl.Series:
    """Read FLOAT or DOUBLE as Java does: with a suffix, NaN and Infinity, and hexadecimal ones."""
    text = texts.str.strip_chars(_BLANKS)
    out = text.str.extract(_FLOAT, 1).cast(target.polars, strict=False)
    odd = (out.is_null() & texts.is_not_null()).arg_true()
    if not len(odd):
        return out
    return out.scatter(odd, pl.Series([_odd_float(t) for t in text.gather(odd)], dtype=target.polars))


def _odd_float(text: str) -> float | None:
    sign, size = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    if size in ("NaN", "Infinity"):
        return sign * float(size)
    if size[:2].lower() == "0x" and "p" in size.lower():
        try:
            return sign * float.fromhex(size.rstrip("fFdD"))
        except ValueError:
            return None
    return None


def decimals_of(texts: pl.Series, target: DataType) -> pl.Series:
    """Read decimals, rounding half up; too many digits, and NaN, are NULL."""
    text = texts.str.strip_chars(_BLANKS)
    plain = pl.select(pl.when(text.str.contains(_DECIMAL)).then(text)).to_series()
    whole = plain.str.extract(r"^[+-]?0*(\d*)", 1)
    fraction = (
        plain.str.extract(r"\.(\d*)$", 1).fill_null("").str.head(target.scale + 1).str.pad_end(target.scale + 1, "0")
    )
    number = (whole + fraction).cast(pl.Int128, strict=False)
    size = pl.lit(number)
    rounded = divide_half_up(pl.when(pl.lit(plain.str.starts_with("-"))).then(lit(0) - size).otherwise(size), lit(10))
    out = pl.select(fit(rounded, target)).to_series()
    odd = (number.is_null() & texts.is_not_null()).arg_true()
    if not len(odd):
        return out
    return out.scatter(odd, pl.Series([_odd_decimal(t, target) for t in text.gather(odd)], dtype=target.polars))


def _odd_decimal(text: str, target: DataType) -> Decimal | None:
    """Read one decimal with an exponent or very many digits."""
    limit = Decimal(10) ** (target.precision - target.scale)
    try:
        exact = Decimal(text) if "_" not in text else Decimal("NaN")
        number = exact.quantize(Decimal(1).scaleb(-target.scale), ROUND_HALF_UP, Context(prec=2 * _MOST + 12))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < limit else None


def date_of(text: pl.Expr) -> pl.Expr:
    """Read a DATE: a year, perhaps with month and day, and after a space anything."""
    before = text.str.replace(r"^([^ ]+) .*$", "$1")
    year = before.str.extract(_DATE, 1).str.zfill(4)
    month, day = (before.str.extract(_DATE, i).fill_null("1").str.zfill(2) for i in (2, 3))
    return pl.concat_str([year, month, day], separator="-").str.to_date("%Y-%m-%d", strict=False)


def time_of(text: pl.Expr) -> pl.Expr:
    """Read a TIME: an hour, perhaps with minute and second; a fraction is cut off."""
    trimmed = text.str.strip_chars(" ")
    hour = trimmed.str.extract(_TIME, 1).str.zfill(2)
    minute, second = (trimmed.str.extract(_TIME, i).fill_null("0").str.zfill(2) for i in (2, 3))
    return pl.concat_str([hour, minute, second], separator=":").str.to_time("%H:%M:%S", strict=False)


def timestamps_of(texts: pl.Series, target: DataType) -> pl.Series:
    """Read TIMESTAMPs `YYYY-MM-DD HH:MM:SS.f` or `YYYY-MM-DD`; a day behind the end of a month is its last."""
    unit = target.time_unit
    shaped = texts.str.contains(_TIMESTAMP)
    if unit == "ns":
        shaped = shaped & texts.str.head(4).is_between(pl.lit(_FIRST_NS), pl.lit(_LAST_NS))
    full = pl.select(
        pl.when(pl.lit(shaped)).then(
            pl.when(pl.lit(texts).str.len_bytes() <= len("YYYY-MM-DD"))
            .then(pl.lit(texts) + " 00:00:00")
            .otherwise(pl.lit(texts).str.replace(rf"(\.\d{{{target.precision}}})\d+$", "$1"))
        )
    ).to_series()
    if not target.precision:
        full = full.str.replace(r"\.\d*$", "")
    out = full.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit=unit, strict=False)
    odd = (out.is_null() & full.is_not_null()).arg_true()
    if not len(odd):
        return out
    return out.scatter(odd, pl.Series([_odd_timestamp(t) for t in full.gather(odd)], dtype=pl.Datetime(unit)))


def _odd_timestamp(text: str) -> datetime | None:
    """Read one timestamp with a day that its month lacks, or at the hour 24."""
    day, clock = text.split(" ")
    (year, month, number), (hour, minute, rest) = map(int, day.split("-")), clock.split(":")
    midnight = hour == "24" and not minute.strip("0") and not rest.strip("0.")
    if not (1 <= month <= 12 and 1 <= number <= 31) or (int(hour) > 23 and not midnight):
        return None
    if int(minute) > 59 or int(rest.partition(".")[0]) > 59:
        return None
    first = datetime(year, month, 1, tzinfo=UTC)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    seconds = timedelta(hours=int(hour), minutes=int(minute), seconds=float(rest))
    return (first.replace(day=min(number, last.day)) + seconds).replace(tzinfo=None)
