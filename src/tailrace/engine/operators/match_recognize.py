"""MATCH_RECOGNIZE: rows of a partition, in the order of time, against a pattern."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK, WATERMARK, Batch, hidden
from tailrace.engine.checks import checked
from tailrace.engine.late import reject_late
from tailrace.engine.local_time import milliseconds
from tailrace.engine.operator import Operator, Times
from tailrace.engine.patterns.matcher import Matcher, Matches
from tailrace.engine.patterns.rows import TIME
from tailrace.engine.patterns.values import MatchValues
from tailrace.engine.predicate import with_time
from tailrace.plan.nodes import MATCH_TIME, MatchRecognize
from tailrace.state.delta import StateDelta

_SLOT = "$slot"
_LATE = "the row came after the watermark"
_FEW = 65_536


class MatchRecognizeOperator(Operator):
    """
    Waits with rows until the watermark has passed them; by the wall clock they are matched as they come.

    Gives a row for each match, as soon as no match that began earlier can come in its way.
    """

    def __init__(self, node: MatchRecognize, timezone: str) -> None:
        self._node = node
        self._matcher = Matcher(node, timezone)
        self._values = MatchValues(node.measured, [p.variable for p in node.parts])
        self._columns = [n for n in node.input.schema.names if n in node.reads]
        schema = {n: node.input.schema[n].type.polars for n in self._columns}
        self._nothing = pl.DataFrame(schema={**schema, TIME: pl.Int64()})
        self._pending: list[pl.DataFrame] = []
        self._arrived: list[pl.DataFrame] = []
        self._written = 0
        self._reached = MIN_WATERMARK

    @property
    def state_rows(self) -> int:
        return len(self._matcher.rows) + sum(map(len, self._pending))

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        cells = self._matcher.cells
        batch = checked(with_time(batch, times, cells.needs), cells.checks, self).select(batch.columns)
        if self._node.processing_time:
            self._reached = max(times.now, self._reached)
            return self._found(batch.with_columns(pl.lit(self._reached, dtype=pl.Int64).alias(TIME)), times)
        rows = self._on_time(batch.with_columns(pl.Series(TIME, milliseconds(batch[self._node.time]))))
        if len(rows):
            self._pending.append(rows)
            self._arrived.append(rows)
        return []

    def _on_time(self, rows: Batch) -> Batch:
        """Leave out the rows that are not after the watermark before them."""
        watermarks = pl.lit(self._reached, dtype=pl.Int64)
        if WATERMARK in rows.columns:
            watermarks = pl.max_horizontal(pl.col(WATERMARK), watermarks)
        late = rows.select((pl.col(TIME) <= watermarks).alias("late")).to_series()
        if late.any():
            reject_late(self, rows.filter(late).drop(TIME), _LATE)
            rows = rows.filter(~late)
        return rows.select(*self._columns, TIME)

    def advance(self, times: Times) -> list[Batch]:
        before = self._reached
        self._reached = max(before, times.now if self._node.processing_time else times.watermark)
        if self._reached == before:
            return []
        return self._found(self._due(), times)

    def _due(self) -> Batch:
        """Give the rows that the watermark has passed, and let the others wait on."""
        if not self._pending:
            return self._nothing
        pending = pl.concat(self._pending)
        due = pending[TIME] <= self._reached
        waiting = pending.filter(~due)
        self._pending = [waiting] if len(waiting) else []
        return pending.filter(due)

    def _found(self, rows: Batch, times: Times) -> list[Batch]:
        """Give the matches that come of rows and of the time."""
        rows, slots = self._in_order(rows.drop(hidden(rows)).select(*self._columns, TIME))
        matches = self._matcher.find(rows, slots, times, self._reached)
        out = self._results(matches) if len(matches.records) else None
        self._matcher.forget()
        return [] if out is None else [out]

    def _in_order(self, rows: Batch) -> tuple[Batch, np.ndarray]:
        if not len(rows):
            return rows, np.empty(0, dtype=np.int64)
        rows = rows.with_columns(pl.Series(_SLOT, self._matcher.slots.find(rows)))
        keys = self._node.order
        rows = rows.sort(
            [_SLOT, TIME, *(k.column for k in keys)],
            descending=[False, False, *(k.descending for k in keys)],
            nulls_last=[False, False, *(k.nulls_last for k in keys)],
            maintain_order=True,
        )
        return rows.drop(_SLOT), rows[_SLOT].to_numpy()

    def _results(self, matches: Matches) -> Batch:
        store, schema = self._matcher.store, self._node.schema
        keys = list(store.gather(matches.ends, self._node.partition)) if self._node.partition else []
        columns = {s.name: s for s in (*keys, *self._values.of(matches.records, matches.ends, store))}
        if MATCH_TIME in schema:
            columns[MATCH_TIME] = pl.Series(matches.times)
        if not columns:
            columns = {"$": pl.Series(matches.times)}
        return pl.DataFrame([columns[f.name].cast(f.type.polars).alias(f.name) for f in schema])

    def next_timer(self) -> int | None:
        if not self._node.processing_time or not self._node.within:
            return None
        deadline = self._matcher.partial.next_deadline
        return deadline if deadline < MAX_WATERMARK else None

    def snapshot(self) -> StateDelta:
        pending = sum(map(len, self._pending))
        base, frames = self._matcher.changes(base=self._written > 2 * max(pending, _FEW))
        arrived = pl.concat([self._nothing, *(self._pending if base else self._arrived)])
        self._written = 0 if base else self._written + len(arrived)
        self._arrived = []
        if len(arrived):
            frames["pending"] = arrived
        return StateDelta(base, frames, {"reached": self._reached, "late": self.late_rows})

    def restore(self, deltas: Iterable[StateDelta]) -> None:
        given = list(deltas)
        if not given:
            return
        self._reached, self.late_rows = int(given[-1].scalars["reached"]), int(given[-1].scalars["late"])
        self._matcher.restore([d.frames for d in given], Times(self._reached, self._reached))
        rows = pl.concat([self._nothing, *(d.frames["pending"] for d in given if "pending" in d.frames)])
        waiting = rows.filter(pl.col(TIME) > self._reached)
        self._pending = [waiting] if len(waiting) else []
