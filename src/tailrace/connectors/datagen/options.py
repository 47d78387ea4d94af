"""The options of the `datagen` connector, under Flink's names; what only Tailrace has is under `tailrace.`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tailrace.connectors.pace import UNLIMITED
from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import (
    Option,
    OptionSet,
    OptionText,
    Values,
    boolean,
    choice,
    duration,
    integer,
    number,
    string,
    utc_time,
)
from tailrace.plan.catalog import Table
from tailrace.schema import DataType, Kind


def _rate(text: str) -> int:
    """Read rows per second; 0 or the word 'unlimited' is as fast as it goes."""
    if text.strip().lower() == "unlimited":
        return UNLIMITED
    if (value := integer(text)) < 0:
        raise ValueError("expected a number of rows, or 'unlimited'")
    return value


def _count(text: str) -> int:
    if (value := integer(text)) < 0:
        raise ValueError("expected a number of rows")
    return value


def _share(text: str) -> float:
    if not 0 <= (value := number(text)) <= 1:
        raise ValueError("expected a share from 0 to 1")
    return value


OPTIONS = OptionSet(
    "connector 'datagen'",
    (
        Option("rows-per-second", _rate, 10_000, "how many rows to make a second; `0` or `unlimited`: no limit"),
        Option("number-of-rows", _count, doc="how many rows to make; without it (and without a sequence) no end"),
        Option("fields.*", string, doc="options of a column"),
        Option("tailrace.seed", integer, 0, "another seed makes other rows; the same one makes the same"),
        Option(
            "tailrace.start-time",
            utc_time,
            doc="the time of row 0 (UTC); row n is `n / rows-per-second` later (without a rate 1 ms a row)",
        ),
    ),
)

FIELD = OptionSet(
    "a column of connector 'datagen'",
    (
        Option("kind", choice("random", "sequence"), "random", "`random` values, or a `sequence` that ends"),
        Option("min", string, doc="the least random number"),
        Option("max", string, doc="the greatest random number"),
        Option("max-past", duration, 0, "random times are up to so long before the row's time"),
        Option("length", _count, doc="how long texts, bytes, arrays and maps are"),
        Option("var-len", boolean, False, "texts and bytes are of any length up to that"),
        Option("start", integer, doc="the first number of a sequence"),
        Option("end", integer, doc="the last number of a sequence"),
        Option("null-rate", _share, 0.0, "the share of NULL"),
    ),
)
"""What stands behind `fields.<column>.`; columns of ROW, ARRAY and MAP go on with a field, `element`, `key`, `value`."""


@dataclass(slots=True)
class FieldSpec:
    """One column (or part of one): its path, type, options, and parts."""

    path: str
    type: DataType
    options: Values
    parts: list[FieldSpec] = field(default_factory=list)

    def fail(self, key: str, message: str) -> ConfigError:
        """Give the error for one of its options."""
        at = self.options.location(key)
        return ConfigError(f"option 'fields.{self.path}.{key}' {message}", location=at)


def field_specs(table: Table, options: Values) -> dict[str, FieldSpec]:
    """
    Read the options of all physical columns.

    Raises:
        ConfigError: an option of no column, or one that can't be read; points at the place.
    """
    prefix = "fields."
    given = {k.removeprefix(prefix): v for k, v in options.given.items() if k.startswith(prefix)}
    left = dict(given)
    specs = {f.name: _spec(f.name, f.type, left) for f in table.physical}
    for key, text in left.items():
        raise _unknown(key, text, list(specs.values()))
    return specs


def _spec(path: str, of: DataType, left: dict[str, OptionText]) -> FieldSpec:
    """Take the options of a column, and of its parts, out of `left`."""
    own = {o.key: left.pop(f"{path}.{o.key}") for o in FIELD.options if f"{path}.{o.key}" in left}
    spec = FieldSpec(path, of, FIELD.parse(own))
    spec.parts = [_spec(f"{path}.{name}", kind, left) for name, kind in _parts(of)]
    return spec


def _parts(of: DataType) -> list[tuple[str, DataType]]:
    match of.kind:
        case Kind.ROW:
            return list(zip(of.names, of.children, strict=True))
        case Kind.ARRAY:
            return [("element", of.children[0])]
        case Kind.MAP:
            return [("key", of.children[0]), ("value", of.children[1])]
    return []


def _all(specs: list[FieldSpec]) -> list[FieldSpec]:
    return [s for spec in specs for s in (spec, *_all(spec.parts))]


def _unknown(key: str, text: OptionText, specs: list[FieldSpec]) -> ConfigError:
    known = [f"fields.{s.path}.{o.key}" for s in _all(specs) for o in FIELD.options]
    hint = did_you_mean(f"fields.{key}", known) or "options of a column: " + ", ".join(o.key for o in FIELD.options)
    message = f"connector 'datagen' has no option 'fields.{key}'"
    return ConfigError(message, hint=hint, location=text.key_location or text.location)
