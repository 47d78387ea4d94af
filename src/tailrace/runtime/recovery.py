"""Which checkpoint a restart takes: what is on disk against what the targets say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tailrace.errors import TerminalError


def choose(on_disk: Sequence[int], marks: Mapping[str, int]) -> int:
    """
    Give the epoch to restore, 0 for the beginning.

    `on_disk` has the epochs with a manifest, `marks` the last epoch that each marked target has. The newest checkpoint n
    is durable before a target commits n, so a mark is n or n-1; rows after it were never seen, so the epoch that the
    mark names is right.

    >>> choose([6, 7], {}), choose([6, 7], {"ledger": 7}), choose([6, 7], {"ledger": 6})
    (7, 7, 6)

    Raises:
        TerminalError: the marks name anything else: state or target have been changed or mixed up.
    """
    newest = max(on_disk, default=0)
    if not marks:
        return newest
    wanted = set(marks.values())
    if len(wanted) == 1:
        (mark,) = wanted
        if mark == newest or (mark == newest - 1 and (mark in on_disk or mark == 0)):
            return mark
    told = ", ".join(f"'{sink}' has epoch {mark}" for sink, mark in sorted(marks.items()))
    message = f"the newest checkpoint is {newest or 'none'}, but {told}: exactly-once can't be kept"
    hint = "bring back the state folder that belongs to this target, or start with new state and a new target"
    raise TerminalError(message, hint=hint)
