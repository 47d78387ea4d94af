"""What the rows of an updating result come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

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


def retracting(rows: Sequence[Row], keys: Mapping[str, tuple[str, ...]]) -> list[Row]:
    """
    Put the retraction of the row before in front of each update of a table that is written by key without them.

    `keys` are the primary keys of the tables.

    >>> rows = [Row("+I", {"k": 1, "n": 1}, "t"), Row("+U", {"k": 1, "n": 2}, "t"), Row("-D", {"k": 1, "n": None}, "t")]
    >>> [f"{r.op} {r.values['n']}" for r in retracting(rows, {"t": ("k",)})]
    ['+I 1', '-U 1', '+U 2', '-D 2']
    """
    whole = {r.sink for r in rows if r.op == "-U"}
    by_key = {sink: key for sink, key in keys.items() if key and sink not in whole}
    there: dict[tuple[object, ...], Row] = {}
    return [out for row in rows for out in _retracting(row, by_key, there)]


def _retracting(row: Row, keys: Mapping[str, tuple[str, ...]], there: dict[tuple[object, ...], Row]) -> Iterator[Row]:
    if row.sink not in keys:
        yield row
        return
    key = (row.sink, *(str(row.values[name]) for name in keys[row.sink]))
    before = there.pop(key, None)
    if row.op not in ADDS:
        yield row if before is None else Row(row.op, before.values, row.sink)
        return
    if before is not None:
        yield Row("-U", before.values, row.sink)
    there[key] = row
    yield row
