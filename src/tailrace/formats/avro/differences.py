"""What is different between two schemas of Avro, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tailrace.formats.avro.types import AvroField, AvroType


def differences(old: AvroType, new: AvroType) -> list[str]:
    """
    Give a line for each field that is gone (`-`), new (`+`) or changed (`~`).

    >>> from tailrace.formats.avro.types import parse
    >>> a = '{"type": "record", "name": "R", "fields": [{"name": "x", "type": "%s"}]}'
    >>> differences(parse(a % "int"), parse(a % "long"))
    ['~ x: int -> long']
    """
    before, after = dict(_fields(old, "")), dict(_fields(new, ""))
    lines = []
    for path in dict.fromkeys([*before, *after]):
        if path not in after:
            lines.append(f"- {path}: {_said(before[path])}")
        elif path not in before:
            lines.append(f"+ {path}: {_said(after[path])}")
        elif _said(before[path]) != _said(after[path]):
            lines.append(f"~ {path}: {_said(before[path])} -> {_said(after[path])}")
    return lines


def _fields(given: AvroType, path: str, within: tuple[AvroType, ...] = ()) -> Iterator[tuple[str, AvroField]]:
    """Give the fields of a type, those within others too, by their paths."""
    if given in within:
        return
    for branch in given.branches:
        yield from _fields(branch, path, within)
    if given.items is not None:
        yield from _fields(given.items, path + "[]", within)
    for one in given.fields:
        name = f"{path}.{one.name}" if path else one.name
        yield name, one
        yield from _fields(one.type, name, (*within, given))


def _said(given: AvroField) -> str:
    default = f" = {json.dumps(given.default)}" if given.has_default else ""
    return f"{_type(given.type)}{default}"


def _type(given: AvroType) -> str:
    optional = given.optional
    if optional is not None and optional[0] >= 0:
        return f"{_type(optional[1])} or null"
    if given.items is not None:
        return f"{given.kind} of {_type(given.items)}"
    if given.kind == "enum":
        return f"{given} ({', '.join(given.symbols)})"
    return f"{given} ({given.size} bytes)" if given.kind == "fixed" else str(given)
