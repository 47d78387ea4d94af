"""Results of aggregates over frames, for rows in the order of partition, time and arrival."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.accumulators import Accumulator, accumulator
from tailrace.engine.accumulators.base import Mask
from tailrace.engine.accumulators.distinct import Distinct
from tailrace.engine.accumulators.sequences import Lag
from tailrace.engine.kernels import frames as kernels
from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.nodes import Frame
from tailrace.state.kernels import I64

_PAIRS = 4_000_000
"""At most so many pairs of a row and a row of its frame are made at once."""


def fold(acc: Accumulator, call: AggregateCall, rows: pl.DataFrame, slots: I64, members: I64 | None = None) -> None:
    """Fold rows (or those numbered by `members`) into slots."""
    values = None if call.arg is None else rows[call.arg] if members is None else rows[call.arg].gather(members)
    use = _taken(call, rows)
    acc.add(slots, values, use if use is None or members is None else use[members])


def _taken(call: AggregateCall, rows: pl.DataFrame) -> Mask | None:
    """Mark the rows that the FILTER takes; None for all."""
    return None if call.filter is None else rows[call.filter].fill_null(value=False).to_numpy()


def running(
    acc: Accumulator, call: AggregateCall, rows: pl.DataFrame, slots: I64, times: I64, *, by_row: bool
) -> pl.Series:
    """Give the aggregate from the first row of each partition on, which goes on in the partition's slot of `acc`."""
    steps, firsts = np.empty(len(slots), dtype=np.int64), np.empty(len(slots), dtype=np.int64)
    count = kernels.number_steps(slots, times, by_row, steps, firsts)
    if isinstance(acc, Lag) and call.arg is not None and call.filter is None:
        ends = np.append(firsts[1:count], len(slots)) - 1
        return acc.walk(slots, rows[call.arg], ends)[steps]
    of_step = slots[firsts[:count]]
    if acc.scans:
        return _scan(acc, call, rows, steps, of_step, _taken(call, rows))[steps]
    if isinstance(acc, Distinct) and acc.inner.scans and call.arg is not None:
        came = acc.came(slots, rows[call.arg], _taken(call, rows))
        return _scan(acc.inner, call, rows, steps, of_step, came)[steps]
    return _in_rounds(acc, call, rows, steps, of_step)[steps]


def _scan(
    acc: Accumulator, call: AggregateCall, rows: pl.DataFrame, steps: I64, slots: I64, use: Mask | None
) -> pl.Series:
    """Fold the rows of each step that count into a slot of its own, then the slots one into the next."""
    size, count = acc.size, len(slots)
    own = np.arange(size, size + count, dtype=np.int64)
    acc.reserve(size + count)
    acc.add(size + steps, None if call.arg is None else rows[call.arg], use)
    begins = np.append(True, slots[1:] != slots[:-1])
    acc.merge(own, np.where(begins, slots, own - 1))
    results = acc.result(own)
    ends = np.append(begins[1:], True)
    acc.reset(slots[ends])
    acc.merge(slots[ends], own[ends])
    acc.reset(own)
    acc.size = size
    return results


def _in_rounds(acc: Accumulator, call: AggregateCall, rows: pl.DataFrame, steps: I64, slots: I64) -> pl.Series:
    """Take the first step of each partition, then the second, and so on: as many rounds as the longest has steps."""
    begins = np.flatnonzero(np.append(True, slots[1:] != slots[:-1]))
    counts = np.diff(np.append(begins, len(slots)))
    rounds = np.arange(len(slots)) - np.repeat(begins, counts)
    of_row = rounds[steps]
    parts, places = [], []
    for number in range(int(counts.max())):
        members = np.flatnonzero(of_row == number)
        fold(acc, call, rows, slots[steps[members]], members)
        mine = np.flatnonzero(rounds == number)
        parts.append(acc.result(slots[mine]))
        places.append(mine)
    order = np.argsort(np.concatenate(places), kind="stable")
    return pl.concat(parts)[order]


def framed(call: AggregateCall, frame: Frame, rows: pl.DataFrame, slots: I64, times: I64, wanted: I64) -> pl.Series:
    """Give the aggregate over the frame of each wanted row; `rows` has all rows of all frames."""
    assert frame.preceding is not None
    starts, ends = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
    kernels.frames(slots, times, frame.rows, frame.preceding, starts, ends)
    acc = accumulator(call)
    if acc.subtracts:
        return _differences(acc, call, rows, starts[wanted], ends[wanted], slots)
    return _by_pairs(call, rows, starts[wanted], ends[wanted])


def _differences(
    acc: Accumulator, call: AggregateCall, rows: pl.DataFrame, starts: I64, ends: I64, slots: I64
) -> pl.Series:
    """Sum from the first row of a partition up to each row; a frame is the difference of two such sums."""
    count = len(rows)
    acc.reserve(count + len(starts))
    fold(acc, call, rows, np.arange(count, dtype=np.int64))
    inner = np.flatnonzero(slots[1:] == slots[:-1]) + 1
    acc.merge(inner, inner - 1)
    own = np.arange(count, count + len(starts), dtype=np.int64)
    acc.merge(own, ends - 1)
    cut = (starts > 0) & (slots[np.maximum(starts - 1, 0)] == slots[starts])
    acc.subtract(own[cut], starts[cut] - 1)  # type: ignore[attr-defined] # as `subtracts` says
    return acc.result(own)


def _by_pairs(call: AggregateCall, rows: pl.DataFrame, starts: I64, ends: I64) -> pl.Series:
    """Fold the rows of each frame anew."""
    out = []
    for low, high in _portions(ends - starts):
        total = int((ends[low:high] - starts[low:high]).sum())
        places, members = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
        kernels.pairs(starts[low:high], ends[low:high], places, members)
        acc = accumulator(call)
        acc.reserve(high - low)
        fold(acc, call, rows, places, members)
        out.append(acc.result(np.arange(high - low, dtype=np.int64)))
    return pl.concat(out)


def _portions(lengths: I64) -> Sequence[tuple[int, int]]:
    """Cut frames into portions of a bounded number of pairs, at least one frame each."""
    total = np.cumsum(lengths)
    cuts, low = [], 0
    while low < len(lengths):
        reached = int(total[low - 1]) if low else 0
        high = max(low + 1, int(np.searchsorted(total, reached + _PAIRS, side="right")))
        cuts.append((low, high))
        low = high
    return cuts
