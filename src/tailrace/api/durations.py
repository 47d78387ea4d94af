"""Spans of time as users write them."""

from __future__ import annotations

import re
from datetime import timedelta

from tailrace.api.places import place
from tailrace.errors import ConfigError

Span = str | timedelta
"""A span of time: `"10s"`, `"1h30m"`, or a timedelta."""

_PART = re.compile(r"(\d+)\s*(ms|[smhdw])")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(value: Span) -> timedelta:
    """
    Give a span of time; texts have the units ms, s, m, h, d and w.

    Raises:
        ConfigError: the text is none.

    >>> span("1h30m")
    datetime.timedelta(seconds=5400)
    """
    if isinstance(value, timedelta):
        return value
    parts = _PART.findall(str(value))
    if not parts or _PART.sub("", str(value)).strip():
        message = f"{value!r} is no span of time"
        raise ConfigError(message, hint='write it as "10s", "5m" or "1h30m"', location=place().location())
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())
