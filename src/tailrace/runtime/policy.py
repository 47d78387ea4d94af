"""What happens to rows that can't be taken, as their table says."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError
from tailrace.options import Option, OptionSet, OptionText, boolean, choice, number, string
from tailrace.plan.catalog import Table

FAIL, DROP, DEAD_LETTER = "fail", "drop", "dead-letter"
_PREFIX = "tailrace."


def share(text: str) -> float:
    """Read a share: a number above 0 and up to 1."""
    value = number(text)
    if not 0 < value <= 1:
        raise ValueError("expected a number above 0 and up to 1, as '0.05'")
    return value


OPTIONS = OptionSet(
    "the error policy",
    (
        Option("tailrace.on-error", choice(FAIL, DROP, DEAD_LETTER), FAIL, "what happens to rows that can't be taken"),
        Option("tailrace.on-late", choice(DROP, DEAD_LETTER), DROP, "what happens to rows that come too late"),
        Option("tailrace.dead-letter.table", string, None, "the table that takes dead letters"),
        Option("tailrace.error-samples", boolean, False, "show the start of a bad row in the error's message"),
        Option("tailrace.max-error-share", share, None, "stop the job when more than this share of the rows is bad"),
    ),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The error policy of one table."""

    table: str
    on_error: str = FAIL
    on_late: str = DROP
    dead_letters: str | None = None
    samples: bool = False
    max_share: float | None = None

    @property
    def keeps_bytes(self) -> bool:
        """Whether the bytes of a row may be needed after it was decoded."""
        return DEAD_LETTER in (self.on_error, self.on_late) or self.samples


def policy_of(table: Table) -> Policy:
    """
    Read the policy of a table.

    Raises:
        ConfigError: an option can't be read, or dead letters have no table to go to.
    """
    given = {k: t for k, t in table.options.items() if OPTIONS.find(k)}
    values = OPTIONS.parse(given, at=table.location)
    policy = Policy(
        table.name,
        values["tailrace.on-error"],
        values["tailrace.on-late"],
        values["tailrace.dead-letter.table"],
        values["tailrace.error-samples"],
        values["tailrace.max-error-share"],
    )
    if DEAD_LETTER in (policy.on_error, policy.on_late) and not policy.dead_letters:
        raise _without_table(table, given)
    return policy


def _without_table(table: Table, given: dict[str, OptionText]) -> ConfigError:
    asked = next(t for k, t in given.items() if t.value == DEAD_LETTER and k.startswith(_PREFIX))
    hint = "name a declared table with 'tailrace.dead-letter.table' = '...'"
    return ConfigError(f"table '{table.name}' sends dead letters, but not where to", hint=hint, location=asked.location)
