"""Texts with `{column}` in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tailrace.errors import ConfigError, Location, did_you_mean

_PLACE = re.compile(r"\{(\w+)\}")


def check(template: str, columns: Collection[str], option: str, location: Location | None) -> None:
    """
    Check that a template names columns alone.

    Raises:
        ConfigError: it names something else.
    """
    for name in _PLACE.findall(template):
        if name not in columns:
            hint = did_you_mean(name, columns) or f"the columns are: {', '.join(columns)}"
            raise ConfigError(f"'{option}' names no column '{name}'", hint=hint, location=location)


def filled(template: str, values: Mapping[str, str]) -> str:
    """
    Put the values of a row into a template; nothing in a value is taken for a place.

    >>> filled("{card} paid {n} times", {"card": "{n}", "n": "7"})
    '{n} paid 7 times'
    """
    return _PLACE.sub(lambda found: values[found[1]], template)
