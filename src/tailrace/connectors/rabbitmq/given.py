"""What a broker gave of one queue and has not been told about: numbers that grow through all connections, and ids."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from tailrace.connectors.base import Position
from tailrace.connectors.inbox import Message

Heard = tuple[AbstractIncomingMessage | None, list[AbstractIncomingMessage]]
"""The message up to which all are to be acknowledged, and others to be acknowledged alone."""


@dataclass(slots=True)
class Given:
    """
    Messages of one queue that are not acknowledged.

    The broker counts from 1 on each connection. Here a number is never given twice, also after a restart, so that a position of before acknowledges nothing of now.
    `before` has the ids of what was taken and may come again, with the number that it had; what comes again is in `again` until the
    checkpoint that has it is complete. A broker that is killed may have forgotten what it was told last: `lately` has the ids of that.
    """

    base: int = 0
    durable: int = 0
    offset: int | None = None
    before: dict[str, int] = field(default_factory=dict)
    lately: deque[str] = field(default_factory=deque)
    _told: set[str] = field(default_factory=set)
    _read: deque[tuple[int, str]] = field(default_factory=deque)
    _again: dict[int, int] = field(default_factory=dict)
    _messages: dict[int, AbstractIncomingMessage] = field(default_factory=dict)

    @classmethod
    def at(cls, position: Position | None, lately: int) -> Given:
        """Begin behind a position; keep the ids of the last so many that were acknowledged."""
        found: dict[str, Any] = position or {}
        number = int(found.get("tag", 0))
        before = dict.fromkeys(found.get("ids", ()), number)
        return cls(number, number, found.get("offset"), before, deque(maxlen=lately))

    def begin(self) -> None:
        """Begin anew on another connection: all that is not acknowledged comes again."""
        for number, known in self._read:
            if known:
                self.before[known] = self._again.get(number, number)
        self.base = max((self.base, *(n for n, _ in self._read), *self._messages))
        self._told = set(self.lately)
        self._read.clear()
        self._again.clear()
        self._messages.clear()

    def came(self, message: AbstractIncomingMessage) -> int:
        """Note a message, and give its number."""
        number = self.base + int(message.delivery_tag or 0)
        self._messages[number] = message
        return number

    def take(self, messages: list[Message]) -> list[Message]:
        """Note messages that are read, and give those that were not taken before."""
        kept = []
        for message in messages:
            known = str(message.metadata["message-id"] or "")
            self._read.append((message.position, known))
            if (original := self._original(known)) is None:
                kept.append(message)
            else:
                self._again[message.position] = original
        return kept

    def _original(self, known: str) -> int | None:
        """Give the number that a message had when it came first, if it did."""
        if known in self._told:
            self._told.discard(known)
            return self.durable
        return self.before.pop(known, None) if known else None

    def ids(self) -> list[str]:
        """Give the ids of all that may come again."""
        return [*sorted(self.before), *(i for _, i in self._read if i)]

    def hear(self, number: int) -> Heard:
        """Hear that a checkpoint with all up to a number is complete; give what is to be acknowledged."""
        self.durable = max(self.durable, number)
        last = None
        while self._read and self._read[0][0] <= number:
            read, known = self._read.popleft()
            if known:
                self.lately.append(known)
            self._again.pop(read, None)
            last = self._messages.pop(read, None) or last
        return last, self.known()

    def known(self) -> list[AbstractIncomingMessage]:
        """Give, once, what came again and is in a complete checkpoint already."""
        found = [n for n, original in self._again.items() if original <= self.durable]
        for number in found:
            del self._again[number]
        return [m for n in found if (m := self._messages.pop(n, None)) is not None]
