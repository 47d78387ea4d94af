"""Times from text by a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from tailrace.expressions.batches import by_value
from tailrace.expressions.java_dates.names import DAYS, MONTHS, form
from tailrace.expressions.java_dates.pattern import Field, Pattern, PatternError
from tailrace.expressions.zones import offset_millis

_DAY, _HOUR, _MINUTE = 86_400_000, 3_600_000, 60_000
_PIVOT = 46
_MIDNIGHT = 24
_NAME = 3
_ZONE = r"Z|GMT[+-]\d{1,2}:?\d{2}|[A-Z]{2,5}|[+-]\d{2}(?::?\d{2})?"


@dataclass
class _Regex:
    """A regular expression for a pattern, and which of its groups holds which letter."""

    text: str = ""
    groups: list[tuple[str, int]] = field(default_factory=list)

    def group(self, inner: str, part: Field) -> None:
        self.text += f"({inner})"
        self.groups.append((part.letter, part.count))


def _strict(pattern: Pattern) -> _Regex:
    """Give the expression of `DateTimeFormatter`: the whole text, each field with its digits."""
    out, depth = _Regex(), 0
    for place, part in enumerate(pattern.parts):
        if isinstance(part, str):
            if place in pattern.marks:
                depth += 1 if part == "[" else -1
                out.text += "(?:" if part == "[" else ")?"
            else:
                out.text += re.escape(part)
            continue
        out.group(_strict_field(part, pattern.numeric(place + 1)), part)
    if depth:
        raise PatternError("the pattern has a [ without ]")
    out.text = f"^{out.text}$"
    return out


def _strict_field(part: Field, digits_follow: bool) -> str:
    letter, count = part.letter, part.count
    if letter in "ML" and count >= _NAME:
        return "|".join(form(MONTHS, count))
    if letter == "E":
        return "|".join(form(DAYS, max(count, _NAME)))
    if letter == "a":
        return "AM|PM"
    if letter in "Xx":
        return r"Z|[+-]\d{2}(?::?\d{2})?"
    if letter in "yu" and count != 2:
        return rf"\d{{{count}}}" if digits_follow else rf"[+-]?\d{{{count},9}}"
    if letter not in "yuMLdHhKkmsSD":
        raise PatternError(f"a time can't be read by the letter '{letter}'")
    return rf"\d{{{count}}}" if count > 1 or letter == "S" else r"\d{1,2}"


def _lenient(pattern: Pattern) -> _Regex:
    """Give the expression of `SimpleDateFormat`: the beginning of the text, blanks before fields, any count of digits."""
    out = _Regex()
    for place, part in enumerate(pattern.parts):
        if isinstance(part, str):
            out.text += re.escape(part)
            continue
        out.text += r"[ \t]*"
        out.group(_lenient_field(part, pattern.numeric(place + 1)), part)
    out.text = f"^{out.text}"
    return out


def _lenient_field(part: Field, digits_follow: bool) -> str:
    letter, count = part.letter, part.count
    if letter in "ML" and count >= _NAME:
        return "(?i:" + "|".join([*form(MONTHS, 4), *form(MONTHS, 3)]) + ")"
    if letter == "E":
        return "(?i:" + "|".join([*form(DAYS, 4), *form(DAYS, 3)]) + ")"
    if letter == "a":
        return "(?i:AM|PM)"
    if letter in "zZX":
        return _ZONE
    if letter == "G":
        return "(?i:AD|BC)"
    if letter not in "yMLdHhKkmsSD":
        raise PatternError(f"a time can't be read by the letter '{letter}'")
    return rf"\d{{{count}}}" if digits_follow else r"\d{1,9}"


def _fields(texts: pl.Series, regex: _Regex) -> pl.DataFrame:
    """Give the text of each field by its letter, with a column `fits`; of a letter that stands twice the last counts."""
    columns = [pl.lit(texts).str.contains(regex.text).alias("fits")]
    groups = {letter: at for at, (letter, _) in enumerate(regex.groups, 1)}
    found = [pl.lit(texts).str.extract(regex.text, at).alias(letter) for letter, at in groups.items()]
    return pl.select([*columns, *found])


def _number(frame: pl.DataFrame, letter: str, default: int) -> pl.Expr:
    if letter not in frame.columns:
        return pl.lit(default, dtype=pl.Int64)
    return pl.col(letter).cast(pl.Int64, strict=False).fill_null(default)


def _month(frame: pl.DataFrame, regex: _Regex) -> pl.Expr:
    letter = "M" if "M" in frame.columns else "L"
    if dict(regex.groups).get(letter, 0) < _NAME:
        return _number(frame, letter, 1)
    numbers = {n[:3].lower(): i for i, n in enumerate(MONTHS, 1)}
    short = pl.col(letter).str.head(3).str.to_lowercase()
    return short.replace_strict(numbers, default=1, return_dtype=pl.Int64)


def _year(frame: pl.DataFrame, regex: _Regex, old: bool) -> pl.Expr:
    letter = "u" if "u" in frame.columns else "y"
    year = _number(frame, letter, 1970)
    if dict(regex.groups).get(letter) != 2:
        return year
    if not old:
        return year + 2000
    century = pl.when(year < _PIVOT).then(year + 2000).otherwise(year + 1900)
    return pl.when(pl.col(letter).str.len_bytes() == 2).then(century).otherwise(year)


def _hour(frame: pl.DataFrame) -> pl.Expr:
    """Give the hour of the day, whichever way it was written."""
    half = _number(frame, "K", 0) if "K" in frame.columns else _number(frame, "h", 0) % 12
    afternoon = pl.lit(0)
    if "a" in frame.columns:
        afternoon = pl.when(pl.col("a").str.to_uppercase() == "PM").then(12).otherwise(0)
    if "H" in frame.columns:
        return _number(frame, "H", 0)
    return _number(frame, "k", 0) % 24 if "k" in frame.columns else half + afternoon


def _clock(frame: pl.DataFrame, fraction: pl.Expr) -> pl.Expr:
    """Give the milliseconds of the day."""
    seconds = _number(frame, "s", 0) * 1000
    return _hour(frame) * _HOUR + _number(frame, "m", 0) * _MINUTE + seconds + fraction


def _days(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Give the day since 1970; months and days beyond their range roll over."""
    first = pl.date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
    return first.to_physical().cast(pl.Int64) + day - 1


def lenient_millis(pattern: Pattern) -> Callable[[pl.Series], pl.DataFrame]:
    """
    Give what reads times as `SimpleDateFormat` does: `local` milliseconds, and the `offset` of a zone that the text names.

    Both are NULL where the text does not fit.

    Raises:
        PatternError: times can't be read by the pattern.
    """
    regex = _lenient(pattern)
    return lambda texts: _lenient_fields(_fields(texts, regex), regex)


def _lenient_fields(frame: pl.DataFrame, regex: _Regex) -> pl.DataFrame:
    day = _number(frame, "D", 1) if "D" in frame.columns else _number(frame, "d", 1)
    month = pl.lit(1, dtype=pl.Int64) if "D" in frame.columns else _month(frame, regex)
    days = _days(_year(frame, regex, old=True), month, day)
    local = days * _DAY + _clock(frame, _number(frame, "S", 0))
    zone = next((z for z in "zZX" if z in frame.columns), None)
    offset = pl.lit(None, dtype=pl.Int64)
    if zone:
        offset = by_value(offset_millis, pl.Int64(), pl.col(zone))
    return frame.select(pl.when("fits").then(local).alias("local"), pl.when("fits").then(offset).alias("offset"))


def strict_timestamps(pattern: Pattern) -> Callable[[pl.Series], pl.Series]:
    """
    Give what reads timestamps as `DateTimeFormatter` does; a day behind the end of its month is the last. NULL if it does not fit.

    Raises:
        PatternError: times can't be read by the pattern.
    """
    regex = _strict(pattern)
    return lambda texts: _strict_fields(_fields(texts, regex), regex)


def _strict_fields(frame: pl.DataFrame, regex: _Regex) -> pl.Series:
    month = _month(frame, regex)
    first = pl.date(_year(frame, regex, old=False), pl.when(month.is_between(1, 12)).then(month).otherwise(1), 1)
    day = pl.min_horizontal(_number(frame, "d", 1), first.dt.month_end().dt.day().cast(pl.Int64))
    days = first.to_physical().cast(pl.Int64) + day - 1
    if "D" in frame.columns:
        days = first.to_physical().cast(pl.Int64) + _number(frame, "D", 1) - 1
    fraction = pl.lit(0)
    if "S" in frame.columns:
        fraction = pl.col("S").str.pad_end(3, "0").str.head(3).cast(pl.Int64).fill_null(0)
    stamps = (days * _DAY + _clock(frame, fraction)).cast(pl.Datetime("ms"))
    good = pl.all_horizontal(["fits", month.is_between(1, 12), *_ranges(frame, stamps)])
    return frame.select(pl.when(good).then(stamps)).to_series()


_LIMITS = {
    "d": (1, 31),
    "D": (1, 366),
    "H": (0, 23),
    "k": (1, 24),
    "K": (0, 11),
    "h": (1, 12),
    "m": (0, 59),
    "s": (0, 59),
}


def _ranges(frame: pl.DataFrame, stamps: pl.Expr) -> list[pl.Expr]:
    """Give what must hold of the fields that were read."""
    rules = {x: _number(frame, x, _LIMITS[x][0]).is_between(*_LIMITS[x]) for x in _LIMITS if x in frame.columns}
    if "H" in rules:
        rest = _number(frame, "m", 0) + _number(frame, "s", 0) + _number(frame, "S", 0)
        rules["H"] = rules["H"] | ((_number(frame, "H", 0) == _MIDNIGHT) & (rest == 0))
    if "E" in frame.columns:
        numbers = {n[:3]: i for i, n in enumerate(DAYS, 1)}
        wanted = pl.col("E").str.head(3).replace_strict(numbers, default=None, return_dtype=pl.Int8)
        rules["E"] = (wanted == stamps.dt.weekday()) | wanted.is_null()
    return list(rules.values())
