"""Formats by name."""

from __future__ import annotations

from tailrace.errors import ConfigError, did_you_mean
from tailrace.formats import avro, changes, csv, json, protobuf, raw, thrift
from tailrace.formats.base import Format

_ALL: dict[str, Format] = {
    f.name: f
    for f in (*json.FORMATS, csv.FORMAT, raw.FORMAT, *protobuf.FORMATS, thrift.FORMAT, *changes.FORMATS, *avro.FORMATS)
}


def names() -> tuple[str, ...]:
    """Give the names of all formats."""
    return tuple(_ALL)


def get(name: str) -> Format:
    """
    Give the format of a name.

    >>> get("json").name
    'json'

    Raises:
        ConfigError: there is none.
    """
    if name not in _ALL:
        hint = did_you_mean(name, _ALL) or f"formats: {', '.join(_ALL)}"
        raise ConfigError(f"there is no format '{name}'", hint=hint)
    return _ALL[name]
