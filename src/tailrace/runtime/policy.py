"""What happens to rows that can't be taken, as their table says."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.connectors import registry
from tailrace.plan.catalog import Table

FAIL, DROP, DEAD_LETTER = "fail", "drop", "dead-letter"


@dataclass(frozen=True, slots=True)
class Policy:
    """
    The error policy of one table: `table` names it, `dead_letters` the table that takes its dead letters.

    With `samples` an error shows the start of the row, without the columns in `redacted`.
    """

    table: str
    on_error: str = FAIL
    on_late: str = DROP
    dead_letters: str | None = None
    samples: bool = False
    max_share: float | None = None
    redacted: tuple[str, ...] = ()

    @property
    def keeps_bytes(self) -> bool:
        """Whether the bytes of a row may be needed after it was decoded."""
        return DEAD_LETTER in (self.on_error, self.on_late) or self.samples


def policy_of(table: Table, redacted: tuple[str, ...] = ()) -> Policy:
    """
    Read the policy of a table; `redacted` are columns that must not be shown.

    Raises:
        ConfigError: an option can't be read, or dead letters have no table to go to.
    """
    common = registry.options_of(table).common
    wanted = DEAD_LETTER in (common["tailrace.on-error"], common["tailrace.on-late"])
    return Policy(
        table.name,
        common["tailrace.on-error"],
        common["tailrace.on-late"],
        common["tailrace.dead-letter.table"] if wanted else None,
        common["tailrace.error-samples"],
        common["tailrace.max-error-share"],
        redacted,
    )
