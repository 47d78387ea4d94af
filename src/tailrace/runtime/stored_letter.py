"""A dead letter as it lies in its table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tailrace.runtime.redaction import readable


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """One dead letter: the columns that its table keeps. The same row has the same id each time that it is read."""

    id: str
    table: str
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Give the text of a column; empty if it has none."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def raw(self, name: str) -> bytes | None:
        """Give the bytes of payload or key."""
        value = self.values.get(name)
        return value.encode() if isinstance(value, str) else value

    def shown(self, hidden: Collection[str]) -> bytes | None:
        """Give the payload without the values of hidden columns; None if there is none, or they can't be told from the others."""
        return readable(self.raw("payload"), hidden)
