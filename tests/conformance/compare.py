"""Says how the rows of a run differ from the expected ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cases import Answer, Row
from changelogs import final, first_wrong, retracting

SHOWN = 15
"""How many rows of each kind a message shows."""


def difference(
    expected: Answer, found: Sequence[Row], keys: Mapping[str, tuple[str, ...]], *, ordered: bool, meeting: bool
) -> str:
    """
    Give a text for people, empty if there is no difference; `keys` are the primary keys of the tables written into.

    Rows are compared as a multiset of what stands at the end; `ordered` compares inserts in their order. Where the rows
    of several tables are `meeting`, their order decides whether rows are put out and taken back before the end.
    """
    if expected.appends and not meeting and (other := next((r for r in found if r.op != "+I"), None)):
        return f"the rows are only inserted, but there is {other.line()}"
    rows = retracting(found, keys)
    if wrong := first_wrong(rows):
        return f"row {wrong[0]} retracts what is not there: {wrong[1].line()}"
    text = _difference(final(expected.rows), final(rows))
    if not text and ordered and [r.key() for r in expected.rows] != [r.key() for r in rows]:
        return "the rows are in another order:\n" + "\n".join(_shown([r.key() for r in rows]))
    return text


def _difference(expected: Counter[str], found: Counter[str]) -> str:
    missing, more = expected - found, found - expected
    parts = []
    if missing:
        parts += [f"missing ({missing.total()} of {expected.total()}):", *_shown(sorted(missing.elements()))]
    if more:
        parts += [f"not expected ({more.total()} of {found.total()}):", *_shown(sorted(more.elements()))]
    return "\n".join(parts)


def _shown(lines: list[str]) -> list[str]:
    left = len(lines) - SHOWN
    return [f"  {line.strip()}" for line in lines[:SHOWN]] + ([f"  … and {left} more"] if left > 0 else [])
