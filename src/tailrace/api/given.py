"""What a caller gave, where Python would only say later, and in other words, that it can't be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from tailrace.api.places import place
from tailrace.errors import ConfigError, did_you_mean


def wrong(message: str, hint: str) -> ConfigError:
    """Give the error of a call, at the caller's line."""
    return ConfigError(message, hint=hint, location=place().location())


def check_tables(values: Iterable[Any]) -> None:
    """
    Make sure that these are tables.

    Raises:
        ConfigError: one is something else, as a frame.
    """
    for value in values:
        if not hasattr(value, "definitions"):
            raise wrong(f"a {type(value).__name__} is no table", "give a frame as tr.from_polars(frame)")


def check_choice(what: str, value: str, known: Sequence[str], meant: Mapping[str, str] | None = None) -> None:
    """
    Make sure that a word is one of those known; `meant` has words of other libraries for them.

    Raises:
        ConfigError: it is not.
    """
    if value not in known:
        near = (meant or {}).get(value)
        hint = f"write {what}='{near}'" if near else did_you_mean(value, known) or f"it is one of {', '.join(known)}"
        raise wrong(f"there is no {what}='{value}'", hint)


def check_texts(named: Mapping[str, Any], columns: Collection[str]) -> None:
    """
    Make sure that no text is meant as the column of that name.

    Raises:
        ConfigError: one may be.
    """
    for name, value in named.items():
        if isinstance(value, str) and value in columns:
            hint = f"write {name}=col({value!r}) for the column, {name}=lit({value!r}) for the text"
            raise wrong(f"{name}={value!r} may mean the column or the text", hint)


def check_distinct(names: Iterable[str]) -> None:
    """
    Make sure that no name stands twice.

    Raises:
        ConfigError: one does.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise wrong(f"there would be two columns '{twice[0]}'", "give one of them another name")
