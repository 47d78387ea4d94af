"""What the rows of an updating result come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cases import Row

ADDS = ("+I", "+U")


def final(rows: Sequence[Row]) -> Counter[str]:
    """
    Give the rows that stand at the end, as a multiset; a retraction of a row that is not there counts below zero.

    >>> final([Row("+I", {"n": 1}), Row("-U", {"n": 1}), Row("+U", {"n": 2})])
    Counter({' {"n": 2}': 1})
    """
    out: Counter[str] = Counter()
    for row in rows:
        out[row.key()] += 1 if row.op in ADDS else -1
    return Counter({key: count for key, count in out.items() if count})


def first_wrong(rows: Sequence[Row]) -> tuple[int, Row] | None:
    """
    Find the first retraction of a row that is not there.

    >>> first_wrong([Row("+I", {"n": 1}), Row("-D", {"n": 2})])
    (1, Row(op='-D', values={'n': 2}, sink=''))
    """
    there: Counter[str] = Counter()
    for place, row in enumerate(rows):
        key = row.key()
        if row.op in ADDS:
            there[key] += 1
        elif there[key]:
            there[key] -= 1
        else:
            return place, row
    return None
