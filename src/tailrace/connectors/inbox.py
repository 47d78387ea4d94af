"""
What sources share whose clients give message by message: a bounded box between the client's thread and the reader.

The client puts (and waits while the box is full: the back-pressure), the reader takes, and `block` makes columns of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from tailrace.connectors.base import Block, Limit, Position
from tailrace.errors import TailraceError
from tailrace.formats.base import HEADERS, Rows

_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Message:
    """
    One row as it came: `position` resumes after it, `offset` is a number for reports.

    `metadata` has a value for each metadata key but `headers`, which are pairs; the last of a name counts.
    """

    payload: bytes | None
    position: Position
    offset: int = -1
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return len(self.payload or b"") + len(self.key or b"") + 64


class Inbox:
    """Messages of several partitions, in order, at most so many rows and bytes (one message more, if it is large)."""

    def __init__(self, rows: int = 10_000, size: int = 16 << 20) -> None:
        self._rows = rows
        self._size = size
        self._held = 0
        self._waiting: deque[tuple[str, Message]] = deque()
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._closed = False

    def put(self, partition: str, message: Message) -> bool:
        """Add a message; waits while the box is full. False if nobody will take it any more."""
        with self._changed:
            while not self._closed and self._is_full():
                self._changed.wait(_LOOK)
            if self._closed:
                return False
            self._waiting.append((partition, message))
            self._held += message.size
            self._changed.notify_all()
            return True

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._rows or self._held >= self._size

    @property
    def room(self) -> bool:
        """Whether a message can be put without waiting; for clients whose thread must not wait."""
        return not self._is_full()

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def fail(self, error: BaseException) -> None:
        """Have the reader raise this once it has taken what is there."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def renew(self) -> None:
        """Forget a failure that the reader has not seen: the client begins anew."""
        with self._changed:
            self._failure = None

    def close(self) -> None:
        """Take no more, and wake whoever waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, limit: Limit) -> dict[str, list[Message]]:
        """
        Give what waits, by partition, at most about the limit; waits for a first one.

        Raises:
            TailraceError: what the client has failed with, once; then it is as if it had not.
        """
        with self._changed:
            if not self._waiting and self._failure is None and not self._closed:
                self._changed.wait(limit.wait_seconds)
            if not self._waiting:
                self._raise()
            found = self._taken(limit)
            self._changed.notify_all()
        return found

    def _taken(self, limit: Limit) -> dict[str, list[Message]]:
        found: dict[str, list[Message]] = {}
        rows = size = 0
        while self._waiting and rows < limit.rows and size < limit.bytes:
            partition, message = self._waiting.popleft()
            found.setdefault(partition, []).append(message)
            rows += 1
            size += message.size
        self._held -= size
        return found

    def _raise(self) -> None:
        failure, self._failure = self._failure, None
        if failure is None:
            return
        if isinstance(failure, TailraceError):
            raise failure
        raise RuntimeError("a client's thread has failed") from failure


def block(
    partition: str,
    messages: Sequence[Message],
    metadata: Mapping[str, pl.DataType] | None = None,
    *,
    keys: bool = False,
    headers: bool = False,
) -> Block:
    """
    Make a block of messages: with columns for the keys of `metadata`, and keys and headers where they are asked for.

    >>> block("q", [Message(b"{}", 7, offset=3, metadata={"id": "a"})], {"id": pl.String()}).metadata["id"].to_list()
    ['a']
    """
    wanted = metadata or {}
    entries = [_entries(m.headers) for m in messages] if headers or "headers" in wanted else []
    columns = {
        name: pl.Series(entries if name == "headers" else [m.metadata.get(name) for m in messages], dtype=t)
        for name, t in wanted.items()
    }
    return Block(
        partition,
        Rows.of([m.payload for m in messages]),
        messages[-1].position,
        np.array([m.offset for m in messages], np.int64),
        Rows.of([m.key for m in messages]) if keys else None,
        pl.DataFrame(columns) if wanted else None,
        pl.Series("headers", entries, dtype=HEADERS) if headers else None,
    )


def _entries(headers: Sequence[tuple[str, bytes | None]]) -> list[dict[str, Any]]:
    """Give headers as a map's entries: of several with one name the last."""
    return [{"key": name, "value": value} for name, value in dict(headers).items()]
