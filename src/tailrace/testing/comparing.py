"""Rows that came out, against those that a test expects: told as a table of differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from typing import Any

from tailrace.testing.emitted import Change

Row = Mapping[str, Any] | Change

SHOWN = 40
"""So many lines of differences are shown."""
_AROUND = 2
_CELL = 60


def assert_rows(got: Iterable[Row], expected: Iterable[Row], *, ordered: bool = False) -> None:
    """
    Make sure that rows (or changes) are those expected, in any order unless `ordered`.

    An expected time, date or decimal may be written as text, as for `Drive.push`.

    Raises:
        AssertionError: they are not; its text is a table of the differences.

    >>> from datetime import datetime
    >>> came = [{"card": "b", "n": 1}, {"card": "a", "at": datetime(2026, 1, 1)}]
    >>> assert_rows(came, [{"card": "a", "at": "2026-01-01 00:00:00"}, {"card": "b", "n": 1}])
    """
    came, wanted = list(got), list(expected)
    wanted = _typed(came, wanted)
    lines = difference(came, wanted, ordered=ordered)
    if lines:
        raise AssertionError("\n".join(lines))


def difference(got: Sequence[Row], expected: Sequence[Row], *, ordered: bool = True) -> list[str]:
    r"""
    Tell how rows differ from those expected; nothing if they don't.

    >>> print("\n".join(difference([{"card": "a", "n": 2}], [{"card": "a", "n": 1}])))
    the rows are not those expected (- expected, + came out)
        card  n
      - 'a'   1
      + 'a'   2
    """
    came, wanted = [_flat(r) for r in got], [_flat(r) for r in expected]
    marked = list(_in_order(came, wanted) if ordered else _in_any_order(came, wanted))
    if all(mark == " " for mark, _ in marked):
        return []
    head = "the rows are not those expected (- expected, + came out)"
    if _in_any_order_same(came, wanted):
        head = "the rows are those expected, but in another order (- expected, + came out)"
    return [head, *_table(_near(marked))]


def _flat(row: Row) -> dict[str, Any]:
    """Give a row as one dictionary; of a change with its row kind and, if it has one, its table."""
    if not isinstance(row, Change):
        return dict(row)
    table = {"table": row.table} if row.table else {}
    return {"op": row.op, **table, **row.row}


def row_key(row: Mapping[str, Any]) -> str:
    """Give a text that is the same for equal rows."""
    return repr(sorted((name, _hashed(value)) for name, value in row.items()))


def _hashed(value: Any) -> str:
    """Give a text that is the same for equal values, as 1, 1.0 and Decimal(1), or a moment in two zones."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f"moment {value.astimezone(UTC).isoformat()}"
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value == value:  # noqa: PLR0124  NaN
        return f"number {value.normalize() if isinstance(value, Decimal) else Decimal(str(value)).normalize()}"
    return repr(value)


Marked = tuple[str, dict[str, Any] | None]


def _in_order(got: list[dict[str, Any]], expected: list[dict[str, Any]]) -> Iterator[Marked]:
    keys, wanted = [row_key(r) for r in got], [row_key(r) for r in expected]
    for _, i, j, k, m in SequenceMatcher(None, wanted, keys, autojunk=False).get_opcodes():
        if wanted[i:j] == keys[k:m]:
            yield from ((" ", row) for row in got[k:m])
        else:
            yield from (("-", row) for row in expected[i:j])
            yield from (("+", row) for row in got[k:m])


def _in_any_order(got: list[dict[str, Any]], expected: list[dict[str, Any]]) -> Iterator[Marked]:
    missing = Counter(row_key(r) for r in expected) - Counter(row_key(r) for r in got)
    too_many = Counter(row_key(r) for r in got) - Counter(row_key(r) for r in expected)
    for mark, rows, left in (("-", expected, missing), ("+", got, too_many)):
        for row in rows:
            if left[row_key(row)] > 0:
                left[row_key(row)] -= 1
                yield mark, row


def _in_any_order_same(got: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    return Counter(row_key(r) for r in got) == Counter(row_key(r) for r in expected)


def _near(marked: list[Marked]) -> list[Marked]:
    """Leave out rows that are as expected and stand far from any other; None marks the gap."""
    at = [i for i, (mark, _) in enumerate(marked) if mark != " "]
    near = {j for i in at for j in range(i - _AROUND, i + _AROUND + 1)}
    found: list[Marked] = []
    for i, one in enumerate(marked):
        if i in near:
            found.append(one)
        elif not found or found[-1][1] is not None:
            found.append((" ", None))
    return found


def _table(marked: list[Marked]) -> list[str]:
    names = list(dict.fromkeys(name for _, row in marked if row is not None for name in row))
    cells = [None if row is None else [_cell(row, n) for n in names] for _, row in marked[:SHOWN]]
    widths = [max(len(n), *(len(c[i]) for c in cells if c is not None)) for i, n in enumerate(names)]
    lines = ["    " + _line(names, widths)]
    for (mark, _), one in zip(marked, cells, strict=False):
        lines.append("    ..." if one is None else f"  {mark} {_line(one, widths)}")
    more = len(marked) - SHOWN
    return [line.rstrip() for line in lines] + ([f"    and {more} more"] if more > 0 else [])


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def _cell(row: Mapping[str, Any], name: str) -> str:
    """Give a value as it is shown: texts in quotes, so that `'1'` is not 1; nothing where the row has no such column."""
    if name not in row:
        return ""
    value = row[name]
    text = str(value) if isinstance(value, datetime | date | time | Decimal) else repr(value)
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def _typed(got: Sequence[Row], expected: Sequence[Row]) -> list[Row]:
    """Give the expected rows with texts as times or decimals, in columns where such came out."""
    samples = {n: v for one in got for n, v in _flat(one).items() if isinstance(v, datetime | date | time | Decimal)}

    def typed(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _as(samples.get(name), value) for name, value in values.items()}

    return [Change(r.op, typed(r.row), r.table) if isinstance(r, Change) else typed(r) for r in expected]


def _as(sample: datetime | date | time | Decimal | None, value: Any) -> Any:
    """Give a text as a value like another one, if it can be read as such."""
    if sample is None or not isinstance(value, str):
        return value
    try:
        if isinstance(sample, Decimal):
            return Decimal(value)
        found = type(sample).fromisoformat(value)
    except (ValueError, InvalidOperation):
        return value
    zoned = isinstance(sample, datetime) and sample.tzinfo is not None
    return found.replace(tzinfo=UTC) if zoned and isinstance(found, datetime) and found.tzinfo is None else found
