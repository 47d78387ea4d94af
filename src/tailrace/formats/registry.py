"""Formats by name."""

from tailrace.errors import ConfigError, did_you_mean
from tailrace.formats.base import Format
from tailrace.formats.interim import JsonFormat

_ALL: dict[str, Format] = {"json": JsonFormat()}


def names() -> tuple[str, ...]:
    return tuple(_ALL)


def get(name: str) -> Format:
    if name not in _ALL:
        raise ConfigError(f"there is no format '{name}'", hint=did_you_mean(name, _ALL))
    return _ALL[name]
