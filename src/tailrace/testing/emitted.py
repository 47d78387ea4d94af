"""What a driven pipeline takes in and gives: rows with what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """A row and its row kind (+I, -U, +U, -D); of one that came out also the table that it went into."""

    op: str
    row: dict[str, Any]
    table: str = ""
