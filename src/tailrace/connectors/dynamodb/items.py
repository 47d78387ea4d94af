"""Rows as items: attributes, time to live, what tells older ones from newer ones, and what DynamoDB can't take."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from tailrace.connectors.bulk import Refused
from tailrace.connectors.dynamodb.types import NULL, Attribute, Item, attributes
from tailrace.engine.batch import KIND
from tailrace.engine.changes import REMOVED
from tailrace.schema import Schema

MOST_BYTES = 400 * 1024
"""An item has at most so many bytes, with the names of its attributes."""

_LEAST, _MOST = 1e-130, 1e126


@dataclass(frozen=True, slots=True)
class Layout:
    """What of a row is written, and how; only where it is `guarded`, what stands there is compared before."""

    schema: Schema
    key: tuple[str, ...]
    nulls: bool = True
    partial: bool = False
    guarded: bool = True
    newer_by: str | None = None
    epoch_attribute: str | None = None
    ttl_attribute: str | None = None
    ttl_seconds: float | None = None
    ttl_column: str | None = None

    @property
    def singly(self) -> bool:
        """Whether each item needs a request of its own, as batches know no conditions and no parts of items."""
        return self.partial or self.newer_by is not None or self.epoch_attribute is not None


@dataclass(frozen=True, slots=True)
class Write:
    """One item to write, or (without attributes beside its key) to delete."""

    key: Item
    item: Item
    gone: bool

    @property
    def name(self) -> tuple[Any, ...]:
        """The values of the key, by which it is known again."""
        return named(self.key, self.key)


def named(item: Mapping[str, Attribute], key: Sequence[str] | Mapping[str, Any]) -> tuple[Any, ...]:
    """
    Give the values of a key.

    >>> named({"a": {"N": "7"}, "b": {"S": "x"}}, ("a",))
    (Decimal('7'),)
    """
    return tuple(Decimal(v) if letter == "N" else v for name in key for letter, v in item[name].items())


def writes(rows: pl.DataFrame, layout: Layout, epoch: int | None = None) -> list[Write]:
    """Give rows (with KIND, where the stream updates) as items."""
    columns = [attributes(rows[f.name], f.type) for f in layout.schema]
    gone = rows[KIND].is_in(REMOVED).to_list() if KIND in rows.columns else [False] * len(rows)
    more = _more(rows, layout, epoch)
    found = []
    for values, extra, removed in zip(zip(*columns, strict=True), more, gone, strict=True):
        item = dict(zip(layout.schema.names, values, strict=True))
        key = {name: item[name] for name in layout.key}
        if not layout.nulls:
            item = {name: value for name, value in item.items() if value is not NULL or name in key}
        found.append(Write(key, item | extra, removed))
    return found


def _more(rows: pl.DataFrame, layout: Layout, epoch: int | None) -> list[Item]:
    """Give what each item has beside the columns: when it expires, and for which checkpoint it is written."""
    more: Item = {}
    if layout.epoch_attribute is not None and epoch is not None:
        more[layout.epoch_attribute] = {"N": str(epoch)}
    if layout.ttl_attribute is None:
        return [more] * len(rows)
    if layout.ttl_column is None:
        expires = int(time.time() + (layout.ttl_seconds or 0.0))
        return [more | {layout.ttl_attribute: {"N": str(expires)}}] * len(rows)
    times = rows[layout.ttl_column].dt.epoch("s").to_list()
    return [more if t is None else more | {layout.ttl_attribute: {"N": str(t)}} for t in times]


# -- what can't be written


def refusal(row: int, write: Write) -> Refused | None:
    """Say why DynamoDB can't take an item; None if it can."""
    for name, attribute in write.key.items():
        if attribute is NULL or next(iter(attribute.values())) in ("", b""):
            what = "NULL" if attribute is NULL else "empty"
            return Refused(row, "key", f"key attribute '{name}' is {what}", "a key has a value in DynamoDB")
    given = write.key if write.gone else write.item
    odd = next((name for name, attribute in given.items() if not _is_in_range(attribute)), None)
    if odd is not None:
        return Refused(row, "range", f"attribute '{odd}' has a number that DynamoDB can't keep (NaN, or beyond 1E126)")
    if (size := size_of(given)) > MOST_BYTES:
        return Refused(row, "size", f"the item has about {size} bytes, DynamoDB takes {MOST_BYTES}")
    return None


def _is_in_range(attribute: Attribute) -> bool:
    ((letter, value),) = attribute.items()
    if letter == "N":
        return _is_number(value)
    if letter == "NS":
        return all(map(_is_number, value))
    if letter in ("L", "M"):
        return all(map(_is_in_range, value.values() if letter == "M" else value))
    return True


def _is_number(text: str) -> bool:
    number = abs(float(text))
    return number == 0 or _LEAST <= number < _MOST


def size_of(item: Mapping[str, Attribute]) -> int:
    """
    Compute how many bytes an item has, as DynamoDB counts.

    >>> size_of({"id": {"N": "7"}, "name": {"S": "abc"}})
    11
    """
    return sum(len(name.encode()) + _size(attribute) for name, attribute in item.items())


def _size(attribute: Attribute) -> int:
    value: Any
    ((letter, value),) = attribute.items()
    match letter:
        case "S":
            return len(str(value).encode())
        case "B":
            return len(bytes(value))
        case "N":
            return (len(str(value).strip("-0.")) + 1) // 2 + 1 + int(str(value).startswith("-"))
        case "SS" | "NS" | "BS":
            return sum(_size({letter[0]: v}) for v in value)
        case "L":
            return 3 + sum(1 + _size(v) for v in value)
        case "M":
            return 3 + sum(1 + len(k.encode()) + _size(v) for k, v in value.items())
    return 1
