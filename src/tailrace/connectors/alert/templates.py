"""Texts with `{column}` in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import quote

from tailrace.errors import ConfigError, Location, did_you_mean

_OF_ADDRESSES = ":/?#[]@!$&'()*+,;=%~"
"""What stays as it is in an address that a value is."""
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


def filled_link(template: str, values: Mapping[str, str]) -> str:
    """
    Put the values of a row into an address: each stays what it is put for, and starts no other part of the address.

    Only a value that stands at the beginning may be an address by itself, of the web; with another one there is no link.

    >>> filled_link("https://board/?card={card}", {"card": "a b&all=1"})
    'https://board/?card=a%20b%26all%3D1'
    >>> filled_link("{at}", {"at": "https://board/a b"}), filled_link("{at}", {"at": "javascript:alert(1)"})
    ('https://board/a%20b', '')
    """
    first = _PLACE.match(template)
    begin = "" if first is None else quote(values[first[1]], safe=_OF_ADDRESSES)
    rest = template if first is None else template[first.end() :]
    link = begin + _PLACE.sub(lambda found: quote(values[found[1]], safe=""), rest)
    return link if first is None or link.startswith(("https://", "http://")) else ""
