"""Times as text by a pattern."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.expressions.java_dates.names import DAYS, MONTHS, QUARTERS, form
from tailrace.expressions.java_dates.pattern import Field, Pattern, PatternError

_PLAIN = {
    ("M", 2): "%m",
    ("M", 3): "%b",
    ("M", 4): "%B",
    ("L", 2): "%m",
    ("L", 3): "%b",
    ("L", 4): "%B",
    ("d", 2): "%d",
    ("H", 2): "%H",
    ("h", 2): "%I",
    ("m", 2): "%M",
    ("s", 2): "%S",
    ("D", 3): "%j",
    ("a", 1): "%p",
    **{("E", n): "%a" for n in (1, 2, 3)},
    ("E", 4): "%A",
}
_NEW = {("S", 3): "%3f", ("S", 6): "%6f", ("S", 9): "%9f"}
_DAY = 86_400_000
_FULL, _NAME = 4, 3


def written(local: pl.Expr, pattern: Pattern, zoned: pl.Expr | None = None) -> pl.Expr:
    """
    Write the wall clock by a pattern; `zoned` is the same time with its zone, where the pattern may ask for that.

    Raises:
        PatternError: it asks for a zone, and there is none.
    """
    texts: list[pl.Expr] = []
    plain = ""
    for place, part in enumerate(pattern.parts):
        known = _known(part, pattern, place)
        if known is not None:
            plain += known
            continue
        if plain:
            texts.append(_strftime(local, plain))
        plain = ""
        assert isinstance(part, Field)
        texts.append(_written(local, part, pattern.old, zoned))
    if plain or not texts:
        texts.append(_strftime(local, plain))
    return texts[0] if len(texts) == 1 else pl.concat_str(texts)


def _known(part: Field | str, pattern: Pattern, place: int) -> str | None:
    """Give a part as Polars writes it, if it has a word for it."""
    if isinstance(part, str):
        return "" if place in pattern.marks else part.replace("%", "%%")
    known = _PLAIN if pattern.old else _PLAIN | _NEW
    return known.get((part.letter, part.count))


def _strftime(local: pl.Expr, text: str) -> pl.Expr:
    return local.dt.to_string(text) if text else pl.when(local.is_not_null()).then(pl.lit(""))


def _padded(number: pl.Expr, count: int) -> pl.Expr:
    return number.cast(pl.String).str.zfill(count)


def _written(x: pl.Expr, field: Field, old: bool, zoned: pl.Expr | None) -> pl.Expr:
    letter, count = field.letter, field.count
    if letter in "zZXx":
        return _zone(zoned, field)
    if letter in "yYu" and not (old and letter == "u"):
        return _year(_week_year(x) if letter == "Y" else x.dt.year(), count, old)
    if letter in "MLEecQqGa":
        return _named(x, field, old)
    if letter == "S":
        return _padded(x.dt.millisecond(), count) if old else _fraction(x, count)
    return _padded(_NUMBERS[letter](x) if not (old and letter in "Fu") else _OLD[letter](x), count)


def _year(year: pl.Expr, count: int, old: bool) -> pl.Expr:
    if count == 2:
        return _padded(year % 100, 2)
    plain = _padded(year, count)
    long = pl.concat_str([pl.lit("+"), plain])
    return plain if old or count < _FULL else pl.when(year >= 10**count).then(long).otherwise(plain)


def _fraction(x: pl.Expr, count: int) -> pl.Expr:
    return _padded(x.dt.nanosecond(), 9).str.head(count)


def _named(x: pl.Expr, field: Field, old: bool) -> pl.Expr:
    letter, count = field.letter, field.count
    if letter == "a":
        return pl.when(x.dt.hour() < 12).then(pl.lit("AM")).when(x.dt.hour() >= 12).then(pl.lit("PM"))
    if letter == "G":
        era = {4: "Anno Domini", 5: "A"}.get(count, "AD")
        return pl.when(x.is_not_null()).then(pl.lit(era if not old else "AD"))
    names: tuple[str, ...]
    if letter in "ML":
        names, number = MONTHS, x.dt.month()
    elif letter in "Qq":
        names, number = QUARTERS, x.dt.quarter()
        if count == _NAME:
            return pl.concat_str([pl.lit("Q"), number.cast(pl.String)])
    elif letter in "ec" and count < _NAME:
        return _padded(_NUMBERS["e"](x), count)
    else:
        names, number = DAYS, x.dt.weekday()
    if letter in "MLQq" and count < _NAME:
        return _padded(number, count)
    count = min(count, _FULL) if old else count
    texts = form(names, count if names is not QUARTERS or count == _FULL else 5)
    return number.cast(pl.Int64).replace_strict(dict(enumerate(texts, 1)), return_dtype=pl.String)


def _zone(zoned: pl.Expr | None, field: Field) -> pl.Expr:
    if zoned is None:
        raise PatternError(f"the letter '{field.letter}' asks for a time zone, which the value has not")
    if field.letter == "z":
        return zoned.dt.to_string("%Z")
    offset = zoned.dt.to_string("%:z" if field.letter == "X" and field.count == _NAME else "%z")
    if field.letter == "Z":
        return offset
    shown = offset.str.head(3) if field.count == 1 else offset
    return pl.when(offset.str.contains(r"^\+00:?00$")).then(pl.lit("Z")).otherwise(shown)


def _saturday(x: pl.Expr) -> pl.Expr:
    """Give the last day of the week, which begins on Sunday."""
    day = x.dt.date()
    return day + pl.duration(days=6 - day.dt.weekday() % 7)


def _week_year(x: pl.Expr) -> pl.Expr:
    return _saturday(x).dt.year()


def _millis(x: pl.Expr) -> pl.Expr:
    return x.dt.cast_time_unit("ms").to_physical() % _DAY


_NUMBERS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "d": lambda x: x.dt.day(),
    "D": lambda x: x.dt.ordinal_day(),
    "w": lambda x: (_saturday(x).dt.ordinal_day() - 1) // 7 + 1,
    "W": lambda x: (x.dt.day() - 1 + x.dt.month_start().dt.weekday() % 7) // 7 + 1,
    "F": lambda x: (x.dt.day() - 1) % 7 + 1,
    "e": lambda x: x.dt.weekday() % 7 + 1,
    "H": lambda x: x.dt.hour(),
    "k": lambda x: (x.dt.hour().cast(pl.Int32) + 23) % 24 + 1,
    "K": lambda x: x.dt.hour() % 12,
    "h": lambda x: (x.dt.hour().cast(pl.Int32) + 11) % 12 + 1,
    "m": lambda x: x.dt.minute(),
    "s": lambda x: x.dt.second(),
    "n": lambda x: x.dt.nanosecond(),
    "N": lambda x: _millis(x) * 1_000_000 + x.dt.nanosecond() % 1_000_000,
    "A": _millis,
}
_OLD: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "F": lambda x: (x.dt.day() - 1) // 7 + 1,
    "u": lambda x: x.dt.weekday(),
}
