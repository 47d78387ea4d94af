"""
One declarative spec for every option: of a connector, a format or the job (`SET`).

Validation with did-you-mean, `explain`, the docs page and the JSON schema come from it. Durations and sizes are
written as in Flink: `10 s`, `1 min`, `64 mb`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tailrace.errors import ConfigError, Location, did_you_mean

Parser = Callable[[str], Any]

_MILLISECONDS = {
    **dict.fromkeys(("ms", "milli", "millis", "millisecond", "milliseconds", ""), 1),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), 86_400_000),
}
_BYTES = {
    **dict.fromkeys(("b", "byte", "bytes", ""), 1),
    **dict.fromkeys(("k", "kb", "kib", "kibibytes"), 1 << 10),
    **dict.fromkeys(("m", "mb", "mib", "mebibytes"), 1 << 20),
    **dict.fromkeys(("g", "gb", "gib", "gibibytes"), 1 << 30),
}
_QUANTITY = re.compile(r"\s*(\d+)\s*([a-zA-Z]*)\s*")


def _quantity(text: str, units: Mapping[str, int], example: str) -> int:
    match = _QUANTITY.fullmatch(text)
    if not match or match[2].lower() not in units:
        raise ValueError(f"expected a number with a unit, as {example}")
    return int(match[1]) * units[match[2].lower()]


def duration(text: str) -> int:
    """
    Read a duration as Flink writes it, in milliseconds.

    >>> duration("5 s"), duration("2min"), duration("250")
    (5000, 120000, 250)
    """
    return _quantity(text, _MILLISECONDS, "'10 s' or '1 min'")


def memory_size(text: str) -> int:
    """
    Read a size as Flink writes it, in bytes.

    >>> memory_size("64 mb")
    67108864
    """
    return _quantity(text, _BYTES, "'64 mb'")


_UNITS: dict[Parser, tuple[tuple[int, str], ...]] = {
    duration: ((60_000, "min"), (1000, "s"), (1, "ms")),
    memory_size: ((1 << 20, "mb"), (1 << 10, "kb"), (1, "b")),
}


def written(parse: Parser, value: Any) -> str:
    """
    Write a value of an option as a script would.

    >>> written(duration, 90_000), written(memory_size, 64 << 20), written(boolean, True)
    ('90 s', '64 mb', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    for size, unit in _UNITS.get(parse, ()):
        if value % size == 0:
            return f"{value // size} {unit}"
    return str(value)


def boolean(text: str) -> bool:
    """Read true or false, in any case."""
    if text.strip().lower() not in ("true", "false"):
        raise ValueError("expected 'true' or 'false'")
    return text.strip().lower() == "true"


def integer(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text.strip())
    except ValueError:
        raise ValueError("expected a whole number") from None


def number(text: str) -> float:
    """Read a number."""
    try:
        return float(text.strip())
    except ValueError:
        raise ValueError("expected a number") from None


def utc_time(text: str) -> int:
    """
    Read a time, in UTC if it names no zone, in milliseconds since 1970.

    >>> utc_time("1970-01-01 00:00:01")
    1000
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a time, as '2026-01-01 00:00:00'") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def string(text: str) -> str:
    """Take the text as it is."""
    return text


def at_least(least: int) -> Callable[[str], int]:
    """
    Make a parser of whole numbers from a least one.

    >>> at_least(1)("7")
    7
    """

    def parse(text: str) -> int:
        if (value := integer(text)) < least:
            raise ValueError(f"expected a number from {least}")
        return value

    return parse


def positive(parse: Callable[[str], int]) -> Callable[[str], int]:
    """
    Make a parser of a number, duration or size that is more than zero.

    >>> positive(duration)("2 s")
    2000
    """

    def parse_positive(text: str) -> int:
        if (value := parse(text)) < 1:
            raise ValueError("expected more than zero")
        return value

    return parse_positive


def name_list(text: str) -> tuple[str, ...]:
    """
    Read a list of names.

    >>> name_list("card; email")
    ('card', 'email')
    """
    return tuple(name.strip() for name in text.split(";") if name.strip())


def choice(*values: str) -> Parser:
    """Make a parser that takes only these words."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"expected one of {', '.join(map(repr, values))}")
        return text

    parse.__doc__ = "one of " + ", ".join(f"`{v}`" for v in values)
    return parse


@dataclass(frozen=True, slots=True)
class OptionText:
    """An option as somebody wrote it, and where."""

    value: str
    location: Location | None = None
    key_location: Location | None = None


Options = Mapping[str, OptionText]


@dataclass(frozen=True, slots=True)
class Option:
    """
    One option: its key, how its text is read, its default (already read) and what it means.

    A key that ends in `.*` takes every key with that prefix (as `properties.*`).
    """

    key: str
    parse: Parser
    default: Any = None
    doc: str = ""
    required: bool = False
    secret: bool = False

    @property
    def is_prefix(self) -> bool:
        """Tell whether it stands for a family of keys."""
        return self.key.endswith(".*")

    def matches(self, key: str) -> bool:
        """Tell whether this is the spec of `key`."""
        return key.startswith(self.key[:-1]) if self.is_prefix else key == self.key


class Values(Mapping[str, Any]):
    """The options of one thing after validation: every key of the spec has a value."""

    def __init__(self, values: dict[str, Any], families: dict[str, dict[str, str]], given: Options) -> None:
        self._values = values
        self._families = families
        self.given = given

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def family(self, prefix: str) -> dict[str, str]:
        """Give the keys under `prefix.` (without it) and their texts."""
        return dict(self._families.get(prefix, {}))

    def location(self, key: str) -> Location | None:
        """Say where an option was written; None for a default."""
        return self.given[key].location if key in self.given else None


@dataclass(frozen=True, slots=True)
class OptionSet:
    """The options that one thing takes."""

    owner: str
    options: tuple[Option, ...]

    def __add__(self, other: OptionSet) -> OptionSet:
        return OptionSet(self.owner, self.options + other.options)

    def find(self, key: str) -> Option | None:
        """Give the spec of a key, or None."""
        exact = (o for o in self.options if not o.is_prefix and o.key == key)
        family = (o for o in self.options if o.is_prefix and o.matches(key))
        return next(exact, None) or next(family, None)

    def parse(self, given: Options, *, at: Location | None = None) -> Values:
        """
        Validate what was written.

        Raises:
            ConfigError: an unknown key, a missing required one, or a text that can't be read; it points at the place.
        """
        values = {o.key: o.default for o in self.options if not o.is_prefix}
        families: dict[str, dict[str, str]] = {}
        for key, text in given.items():
            option = self.find(key)
            if option is None:
                raise self._unknown(key, text)
            if option.is_prefix:
                families.setdefault(option.key[:-2], {})[key[len(option.key) - 1 :]] = text.value
            else:
                values[key] = self._read(option, text)
        for option in self.options:
            if option.required and option.key not in given:
                raise ConfigError(f"{self.owner} needs the option '{option.key}'", hint=option.doc, location=at)
        return Values(values, families, given)

    def _unknown(self, key: str, text: OptionText) -> ConfigError:
        known = [o.key for o in self.options]
        hint = did_you_mean(key, known) or "known options: " + ", ".join(sorted(known))
        return ConfigError(
            f"{self.owner} has no option '{key}'", hint=hint, location=text.key_location or text.location
        )

    def _read(self, option: Option, text: OptionText) -> Any:
        try:
            return option.parse(text.value)
        except ValueError as error:
            shown = "***" if option.secret else text.value
            message = f"option '{option.key}' of {self.owner} can't be {shown!r}: {error}"
            raise ConfigError(message, hint=option.doc, location=text.location) from None
