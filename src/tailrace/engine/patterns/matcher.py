"""One pattern over all its partitions: rows in, matches out, and what is kept between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.engine.batch import Batch
from tailrace.engine.kernels import patterns as kernels
from tailrace.engine.kernels.pattern_conditions import AGGREGATE
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.operator import Times
from tailrace.engine.patterns.automaton import automaton
from tailrace.engine.patterns.cells import Cells
from tailrace.engine.patterns.conditions import Conditions, compiled
from tailrace.engine.patterns.partial_matches import SLOT, PartialMatches, last_of_each, record_width
from tailrace.engine.patterns.questions import Questions, first_of_each_run
from tailrace.engine.patterns.rows import PatternRows
from tailrace.engine.patterns.values import last_rows
from tailrace.errors import TerminalError
from tailrace.plan.nodes import MatchRecognize
from tailrace.state.kernels import I64
from tailrace.state.row_store import ROW, RowStore, latest

_SKIPS = {"PAST LAST ROW": kernels.PAST_LAST, "TO NEXT ROW": kernels.TO_NEXT, "TO FIRST": kernels.TO_FIRST}
_TROUBLES = {
    kernels.NO_ROW: "a match has no row of {}, which AFTER MATCH SKIP goes to",
    kernels.SAME_ROW: "AFTER MATCH SKIP goes to {}, which is the first row of a match: the same match would come again",
}


@dataclass(frozen=True, slots=True)
class Matches:
    """Matches: the record of each, the row that it ends with, and the time at which it was known."""

    records: I64
    ends: I64
    times: I64


class Matcher:
    """Finds the matches in rows that come in the order of slot and time."""

    def __init__(self, node: MatchRecognize, timezone: str) -> None:
        self._node = node
        variables = [p.variable for p in node.parts]
        conditions = compiled(node.parts, node.values)
        types = {f.name: f.type for f in node.input.schema}
        self.cells = Cells(conditions.cells, types, timezone)
        self._questions = Questions(node.parts, node.values, conditions.asked, timezone)
        self._pattern = _pattern(node, conditions, variables)
        self.slots = KeyedSlots({k: node.input.schema[k].type.polars for k in node.partition})
        self.rows = PatternRows({n: types[n].polars for n in types if n in node.reads}, self.cells)
        self.partial = PartialMatches(len(variables), len(conditions.aggregates))

    @property
    def store(self) -> RowStore:
        """The rows of open matches, and of those just found."""
        return self.rows.store

    def find(self, rows: Batch, slots: I64, times: Times, reached: int) -> Matches:
        """
        Give the matches that come of more rows, and of the time that has come to `reached`.

        Their rows are in the store until `forget`.

        Raises:
            TerminalError: a match can't be skipped as AFTER MATCH says.
        """
        numbers = self.rows.append(rows, slots, times)
        self.partial.reserve(self.slots.used)
        runs = self._runs(slots, numbers, reached)
        before = self.partial.sizes(runs.slots)
        found = self._walked(runs, times, reached)
        after = self.partial.sizes(runs.slots)
        self.slots.touch(runs.slots[(before > 0) | (after > 0)], 0)
        self.slots.live[runs.slots] = after > 0
        order = np.argsort(found[:, 1], kind="stable")
        records = np.ascontiguousarray(found[order, 2:])
        return Matches(records, last_rows(records, len(self._node.parts)), np.ascontiguousarray(found[order, 1]))

    def _runs(self, slots: I64, numbers: I64, reached: int) -> kernels.Runs:
        """Give the rows of each slot, and slots without rows in which a match has lasted too long."""
        begins = np.flatnonzero(np.append(True, slots[1:] != slots[:-1])) if len(slots) else np.zeros(0, np.int64)
        own = slots[begins]
        firsts = numbers[begins]
        ends = np.append(numbers[begins[1:]], numbers[-1] + 1) if len(slots) else firsts
        idle = self.partial.expired(self.slots.used, reached, own) if self._node.within else own[:0]
        nothing = np.zeros(len(idle), dtype=np.int64)
        return kernels.Runs(
            np.concatenate([own, idle]),
            np.concatenate([firsts, nothing]),
            np.concatenate([ends, nothing]),
            np.full(len(own) + len(idle), -1, dtype=np.int64),
        )

    def _walked(self, runs: kernels.Runs, times: Times, reached: int) -> I64:
        """Walk, and answer questions, until there is none; give all matches as the kernel does."""
        answers = np.zeros(1, dtype=np.bool_)
        parts: list[I64] = []
        while True:
            found = kernels.walk(runs, reached, self.partial.bundle, self._pattern, self.rows.bundle, answers)
            if found.trouble:
                message = _TROUBLES[found.trouble].format(self._node.after.variable)
                raise TerminalError(message, hint="write AFTER MATCH SKIP PAST LAST ROW", location=self._node.location)
            parts.append(found.matches)
            self.partial.put(runs.slots, found, self._node.within or 0)
            self._last = runs.slots
            if not len(found.questions):
                self._records, self._counts = found.records, found.open + found.complete
                return np.concatenate(parts)
            answers = self._questions.answers(found.questions, self.store, times, self._node.location)
            first = first_of_each_run(found.questions, len(runs.slots))
            runs = kernels.Runs(runs.slots, runs.begins, runs.ends, first)

    def forget(self) -> None:
        """Drop the rows that no open match needs."""
        gone = np.empty(len(self.rows), dtype=np.int64)
        oldest = self.rows.oldest(self.slots.used)
        count = kernels.obsolete(self._last, self._counts, self._records, oldest, self.store.newer, gone)
        self.store.drop(gone[:count])
        if self.slots.worth_compacting or self.store.worth_compacting or self.partial.worth_compacting:
            self._compact()

    def _compact(self) -> None:
        places = self.slots.renumbered()
        self.partial.keep(np.flatnonzero(places >= 0))
        self.partial.renumber(self.rows.compact(places))

    def changes(self, *, base: bool) -> tuple[bool, dict[str, pl.DataFrame]]:
        """Give what has changed since the last call, for a checkpoint, and tell whether it is all there is."""
        base, slots = self.slots.changed(base=base or self.store.wants_base)
        frames = self.store.delta(base=base)
        if len(slots):
            own = pl.Series(SLOT, slots)
            frames["keys"] = self.slots.columns(slots).with_columns(own)
        records = self.partial.columns(slots)
        return base, frames | ({"records": records} if len(records) else {})

    def restore(self, deltas: Sequence[dict[str, pl.DataFrame]], times: Times) -> None:
        """Take up the state of a checkpoint."""
        known = self._restored_slots(deltas)
        self.partial.reserve(self.slots.used)
        rows = latest(deltas)
        numbers = np.empty(0, dtype=np.int64)
        if rows is not None:
            old = rows[ROW].to_numpy()
            numbers = np.full(int(old.max(initial=-1)) + 1, -1, dtype=np.int64)
            numbers[old] = np.arange(len(old))
            self.rows.load(rows, self.slots.find(rows), times)
        records = last_of_each(deltas)
        if records is not None and len(records):
            self.partial.load(records, known[records[SLOT].to_numpy()], numbers, self._node.within or 0)

    def _restored_slots(self, deltas: Sequence[dict[str, pl.DataFrame]]) -> I64:
        """Take up the slots; give the new number of each by the old."""
        known = np.empty(0, dtype=np.int64)
        for keys in (d["keys"] for d in deltas if "keys" in d):
            old = keys[SLOT].to_numpy()
            taller = np.full(max(len(known), int(old.max(initial=-1)) + 1), -1, dtype=np.int64)
            taller[: len(known)] = known
            taller[old] = self.slots.load(keys)
            known = taller
        return known


def _pattern(node: MatchRecognize, conditions: Conditions, variables: Sequence[str]) -> kernels.Pattern:
    made = automaton(node.parts)
    target = -1 if node.after.variable is None else variables.index(node.after.variable)
    skip = _SKIPS.get(node.after.kind, kernels.TO_LAST)
    width = record_width(len(variables), len(conditions.aggregates))
    return kernels.Pattern(
        *_table(made.states, conditions, width), made.start, made.ways, skip, target, node.within or 0
    )


def _table(states: I64, conditions: Conditions, width: int) -> tuple[I64, int, int, int]:
    """Give one table of all, and where variables, aggregates and code begin in it."""
    variables = len(states)
    aggregates = variables + len(conditions.programs)
    code = aggregates + len(conditions.aggregates)
    table = np.zeros((code + len(conditions.code), 6), dtype=np.int64)
    table[:variables] = states
    table[variables:aggregates, :3] = conditions.programs + np.array([code, code, 0])
    table[aggregates:code, :4] = conditions.aggregates
    table[aggregates:code, 4] = np.arange(width - 2 * (code - aggregates), width, 2)
    table[code:] = conditions.code
    table[code:, 2] += np.where(conditions.code[:, 0] == AGGREGATE, aggregates, 0)
    return table, variables, aggregates, code
