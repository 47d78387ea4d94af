"""The iterables of this process that tables read, by name."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from tailrace.errors import TerminalError

Items = Iterable[Any] | AsyncIterable[Any]
"""Rows (dictionaries or objects), or frames of rows."""


def _same(item: Any) -> Any:
    return item


class Feed:
    """
    An iterable, or a function that makes one. An iterator can be read once, all others as often as a job is restarted.

    `strict` refuses rows that have a key which is no column; `convert` makes of each item what is read.

    >>> feed = Feed([{"n": 1}])
    >>> list(feed.items()) == list(feed.items())
    True
    """

    def __init__(
        self,
        items: Items | Callable[[], Items],
        *,
        strict: bool = False,
        convert: Callable[[Any], Any] = _same,
    ) -> None:
        self.strict = strict
        self.convert = convert
        self._items = items
        self._taken = False
        self._lock = threading.Lock()

    def items(self) -> Items:
        """
        Give the items from the first one on.

        Raises:
            TerminalError: they were read before, and can't be again.
        """
        if callable(self._items):
            return self._items()
        if isinstance(self._items, Iterator | AsyncIterator):
            with self._lock:
                taken, self._taken = self._taken, True
            if taken:
                hint = "give a list, or a function that makes the iterator anew"
                raise TerminalError("an iterator can be read once, and was", hint=hint)
        return self._items


_feeds: dict[str, Feed] = {}


def register(name: str, feed: Feed) -> None:
    """Make a feed known by a name."""
    _feeds[name] = feed


def get(name: str) -> Feed | None:
    """Give the feed of a name, if there is one."""
    return _feeds.get(name)


def forget(name: str) -> None:
    """Forget the feed of a name. Takes no lock: the garbage collector may call it under any."""
    _feeds.pop(name, None)
