"""What a process function keeps for each key: states, declared as attributes of its class."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tailrace.user_functions.hints import TypeText


@dataclass(frozen=True, slots=True)
class State:
    """
    A state as it is declared: what it is in the beginning, and how long it lives.

    `save` makes of a value what can be written, and `load` the value of that.
    """

    default: Any
    type: TypeText | None = None
    ttl: str | float | None = None
    save: Callable[[Any], Any] | None = None
    load: Callable[[Any], Any] | None = None

    def made(self) -> Any:
        """Give the value of a key that has none yet; a class or function makes one for each key."""
        if callable(self.default):
            return self.default()
        return copy.deepcopy(self.default) if isinstance(self.default, list | dict) else self.default


def value_state(
    default: Any = None,
    *,
    type: TypeText | None = None,  # noqa: A002  the word that it is called by elsewhere
    ttl: str | float | None = None,
    save: Callable[[Any], Any] | None = None,
    load: Callable[[Any], Any] | None = None,
) -> Any:
    """
    Declare a value that a process function keeps for each key.

    Its type is that of its hint, or `type` in the words of SQL. `ttl`, as "1h", is how long it is kept after the last row or
    timer of its key, by the wall clock. Objects of any other class are kept with `save`, which makes plain values of them
    (numbers, texts, lists, dicts), and `load`, which takes those; `default` is then a function or class that makes one.

    >>> import tailrace as tr
    >>> @tr.process(result_type={"n": "BIGINT"})
    ... class Counted:
    ...     n: int = tr.value_state(0, ttl="1h")
    ...
    ...     def on_row(self, row, ctx):
    ...         self.n += 1
    ...         return self.n
    """
    return State(default, type, ttl, save, load)


def list_state(*, type: TypeText | None = None, ttl: str | float | None = None) -> Any:  # noqa: A002  as above
    """
    Declare a list that a process function keeps for each key, empty in the beginning.

    >>> import tailrace as tr
    >>> @tr.process(result_type={"mean": "DOUBLE"})
    ... class LastThree:
    ...     seen: list[float] = tr.list_state()
    ...
    ...     def on_row(self, row, ctx):
    ...         self.seen = [*self.seen[-2:], row.amount]
    ...         return sum(self.seen) / len(self.seen)
    """
    return State(list, type, ttl)


def map_state(*, type: TypeText | None = None, ttl: str | float | None = None) -> Any:  # noqa: A002  as above
    """
    Declare a dictionary that a process function keeps for each key, empty in the beginning.

    >>> import tailrace as tr
    >>> @tr.process(result_type={"country": "STRING"})
    ... class NewCountries:
    ...     seen: dict[str, int] = tr.map_state(ttl="30 days")
    ...
    ...     def on_row(self, row, ctx):
    ...         new = row.country not in self.seen
    ...         self.seen[row.country] = self.seen.get(row.country, 0) + 1
    ...         return row.country if new else None
    """
    return State(dict, type, ttl)
