"""
Kernel of patterns: goes through the rows of each partition with all its partial matches.

A partial match is a record as `pattern_conditions` lays it out.
A match is the rows from its first to its last, so of a variable too the first, the last and the count tell all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from tailrace.engine.kernels.match_heaps import copy, pop, prune, push, roomy
from tailrace.engine.kernels.pattern_conditions import (
    ANY,
    ASKED,
    PER_VARIABLE,
    START,
    STATE,
    TIME,
    TOTAL,
    VARIABLES,
    ZERO,
    locate,
)
from tailrace.engine.kernels.pattern_steps import ROOM, meet
from tailrace.state.kernels import I32, I64
from tailrace.state.text_kernels import Bools

_NEVER = 2**63 - 1
PAST_LAST, TO_NEXT, TO_FIRST, TO_LAST = range(4)
NO_ROW, SAME_ROW = 1, 2
"""Why a match can't be skipped to a variable: it has no row of it, or it is the first row of the match."""


class Pattern(NamedTuple):
    """
    The pattern as one table: states, what is asked of each variable, aggregates of conditions, and their programs.

    States are at its beginning (see `pattern_steps`), the others begin at `variables`, `aggregates` and `code` (`pattern_conditions`).
    `start` is the state to begin in, `ways` the most ways that a row may lead on from a state. `skip` tells where to go on after a
    match, to a row of the variable `target`; `within` how long one may last (0: any time).
    """

    table: I64
    variables: int
    aggregates: int
    code: int
    start: int
    ways: int
    skip: int
    target: int
    within: int


class Rows(NamedTuple):
    """The stored rows: their cells, each with a mark that it is not NULL; their times; and their neighbours of the same slot."""

    cells: I64
    times: I64
    older: I32
    newer: I32


class Runs(NamedTuple):
    """
    Rows of partitions to go through: `begins[i]` up to `ends[i]` of `slots[i]`.

    `answers[i]` is where the answers about the first of them begin; -1: there are none yet.
    """

    slots: I64
    begins: I64
    ends: I64
    answers: I64


class Pool(NamedTuple):
    """The partial matches of all slots: `open` of them from `heads` on, then those that are complete and wait."""

    records: I64
    heads: I64
    open: I64
    complete: I64


class Found(NamedTuple):
    """
    What a walk gives: the records of each run as in `Pool`, matches (slot, time of release, record), and questions.

    A question is (run, place of the partial match, which condition, row, record).
    """

    records: I64
    open: I64
    complete: I64
    matches: I64
    questions: I64
    trouble: int
    slot: int


@njit(nogil=True, cache=True)
def _pruned_to(matches: I64, i: int, pattern: Pattern) -> int:
    """Give the row before which no match may begin after this one; -NO_ROW or -SAME_ROW if there is none."""
    first = matches[i, 2 + START]
    if pattern.skip == TO_NEXT:
        return int(first) + 1
    if pattern.skip == PAST_LAST:
        last = -1
        for v in range(pattern.aggregates - pattern.variables):
            last = max(last, matches[i, 2 + VARIABLES + PER_VARIABLE * v + 1])
        return last + 1
    at = 2 + VARIABLES + PER_VARIABLE * pattern.target
    if matches[i, at + 2] == 0:
        return -NO_ROW
    row = matches[i, at] if pattern.skip == TO_FIRST else matches[i, at + 1]
    return row if row != first else -SAME_ROW


@njit(nogil=True, cache=True)
def _released(
    heap: I64,
    size: int,
    complete: I64,
    waiting: int,
    matches: I64,
    count: int,
    slot: int,
    time: int,
    pattern: Pattern,
    one: I64,
) -> tuple[I64, int, int, int, int]:
    """Put out the complete matches that no earlier partial one holds back; those that overlap go."""
    while waiting > 0 and (size == 0 or heap[0, START] < 0 or complete[0, START] <= heap[0, START]):
        waiting = pop(complete, waiting, one)
        matches = roomy(matches, count)
        matches[count, 0], matches[count, 1] = slot, time
        for column in range(one.shape[1]):
            matches[count, 2 + column] = one[0, column]
        row = _pruned_to(matches, count, pattern)
        if row < 0:
            return matches, count, size, waiting, -row
        count += 1
        size = prune(heap, size, row)
        waiting = prune(complete, waiting, row)
    return matches, count, size, waiting, 0


@njit(nogil=True, cache=True)
def _first_deadline(heap: I64, size: int, within: int) -> int:
    """Give the first time at which a partial match has lasted too long: the earliest, which is at the top."""
    return heap[0, TIME] + within if size > 0 and heap[0, START] >= 0 else _NEVER


@njit(nogil=True, cache=True)
def _without_expired(heap: I64, size: int, spare: I64, deadline: int, within: int) -> tuple[I64, int]:
    """Give the partial matches that may go on at a deadline, in `spare`."""
    kept = ZERO
    for i in range(size):
        if heap[i, START] < 0 or heap[i, TIME] + within > deadline:
            spare = push(spare, kept, heap, i)
            kept += 1
    return spare, kept


@njit(nogil=True, cache=True)
def _ask(questions: I64, count: int, run: int, heap: I64, size: int, row: int, pattern: Pattern) -> tuple[I64, int]:
    """Write down what must be known of a row for each partial match."""
    for i in range(size):
        for v in range(pattern.aggregates - pattern.variables):
            if pattern.table[pattern.variables + v, ASKED] >= 0:
                questions = roomy(questions, count)
                questions[count, 0], questions[count, 1], questions[count, 2], questions[count, 3] = run, i, v, row
                for column in range(heap.shape[1]):
                    questions[count, 4 + column] = heap[i, column]
                count += 1
    return questions, count


@njit(nogil=True, cache=True)
def _begin(pattern: Pattern, records: I64) -> None:
    """Write the partial match that has no row yet into `records[0]`."""
    records[0] = 0
    records[0, STATE], records[0, START] = pattern.start, -1
    for v in range(pattern.aggregates - pattern.variables):
        at = VARIABLES + PER_VARIABLE * v
        records[0, at], records[0, at + 1] = -1, -1


@njit(nogil=True, cache=True)
def _asks(pattern: Pattern) -> int:
    """Tell how many conditions are answered from without."""
    asks = 0
    for v in range(pattern.variables, pattern.aggregates):
        asks = max(asks, pattern.table[v, ASKED] + 1)
    return asks


@njit(nogil=True, cache=True)
def _empty(heap: I64, size: int) -> I64:
    """Give an array with room for so many records, and for one to hold on to, of which none counts yet."""
    if size < heap.shape[0]:
        return heap
    return np.empty((2 * (size + 1), heap.shape[1]), dtype=np.int64)


@njit(nogil=True, cache=True)
def _with(heap: I64, size: int, more: I64, count: int) -> tuple[I64, int]:
    """Give a heap with so many more records, and how many it has."""
    for i in range(count):
        heap = push(heap, size + i, more, i)
    return heap, size + count


@njit(nogil=True, cache=True)
def _loaded(pool: Pool, first: int, count: int, heap: I64) -> I64:
    """Give a heap with records of the pool."""
    for i in range(count):
        heap = roomy(heap, i)
        copy(pool.records, first + i, heap, i)
    return heap


@njit(nogil=True, cache=True)
def _kept(kept: I64, total: int, heap: I64, size: int) -> I64:
    """Give what is kept with the records of a heap behind it."""
    for i in range(size):
        kept = roomy(kept, total + i)
        copy(heap, i, kept, total + i)
    return kept


@njit(nogil=True, cache=True)
def walk(runs: Runs, watermark: int, pool: Pool, pattern: Pattern, rows: Rows, answers: Bools) -> Found:
    """
    Go through the rows of each run, then let the time come to the watermark.

    Where a condition must be answered from without, a run stops before the row; its `begins` is then where it goes on.
    """
    width = pool.records.shape[1]
    room = np.zeros(ROOM, dtype=np.int64)
    floats, one = room.view(np.float64), np.empty((1, width), dtype=np.int64)
    table, cells, times, older, newer = pattern.table, rows.cells, rows.times, rows.older, rows.newer
    heap, spare = np.empty((16, width), dtype=np.int64), np.empty((16, width), dtype=np.int64)
    complete, fresh = np.empty((16, width), dtype=np.int64), np.empty((16, width), dtype=np.int64)
    matches, count = np.empty((64, width + 2), dtype=np.int64), ZERO
    questions, asked = np.empty((16, width + 4), dtype=np.int64), ZERO
    kept, total = np.empty((64, width), dtype=np.int64), ZERO
    left = np.zeros((2, runs.slots.size), dtype=np.int64)
    asks, within = _asks(pattern), pattern.within
    for run in range(runs.slots.size):
        slot = runs.slots[run]
        size, waiting, trouble = pool.open[slot], pool.complete[slot], 0
        heap = _loaded(pool, pool.heads[slot], size, heap)
        complete = _loaded(pool, pool.heads[slot] + size, waiting, complete)
        if size == 0:
            _begin(pattern, heap)
            size = 1
        row, answer = runs.begins[run], runs.answers[run]
        while trouble == 0:
            ended = row == runs.ends[run]
            time = watermark if ended else times[row]
            deadline = _first_deadline(heap, size, within) if within > 0 else _NEVER
            if deadline != _NEVER and deadline <= time:
                spare, size = _without_expired(heap, size, spare, deadline, within)
                time = deadline
            elif ended:
                break
            elif asks > 0 and answer < 0:
                questions, asked = _ask(questions, asked, run, heap, size, row, pattern)
                break
            else:
                spare, fresh = _empty(spare, pattern.ways * size + 1), _empty(fresh, pattern.ways * size)
                size, done = meet(
                    heap, size, row, time, answer, asks, table, pattern.variables, pattern.aggregates, pattern.code,
                    cells, older, newer, answers, room, floats, spare, fresh,
                )  # fmt: skip
                complete, waiting = _with(complete, waiting, fresh, done)
                row, answer = row + 1, -1
            heap, spare = spare, heap
            if waiting > 0:
                matches, count, size, waiting, trouble = _released(
                    heap, size, complete, waiting, matches, count, slot, time, pattern, one
                )
        if trouble:
            return Found(kept[:total], left[0], left[1], matches[:count], questions[:asked], trouble, slot)
        runs.begins[run] = row
        if size == 1 and waiting == 0 and heap[0, START] < 0:
            size = 0
        left[0, run], left[1, run] = size, waiting
        kept = _kept(_kept(kept, total, heap, size), total + size, complete, waiting)
        total += size + waiting
    return Found(kept[:total], left[0], left[1], matches[:count], questions[:asked], 0, -1)


@njit(nogil=True, cache=True)
def renumber(records: I64, count: int, columns: I64, numbers: I64) -> None:
    """Give the rows in some columns of the first records their new numbers; -1 stays."""
    for i in range(count):
        for column in columns:
            if records[i, column] >= 0:
                records[i, column] = numbers[records[i, column]]


@njit(nogil=True, cache=True)
def locate_all(
    records: I64, ends: I64, variable: int, last: int, offset: int, older: I32, newer: I32, out: I64
) -> None:
    """Write the row that a reference means in each match, which ends with the row of `ends`; -1 for none."""
    for i in range(records.shape[0]):
        out[i] = locate(records, i, ends[i], ANY, variable, last, offset, older, newer)


@njit(nogil=True, cache=True)
def members(records: I64, ends: I64, variable: int, older: I32, match: I64, out: I64) -> None:
    """Write each row of a variable (ANY: of all) in each match, and the match's place; rows in their order."""
    stop = 0
    for i in range(records.shape[0]):
        at = VARIABLES + PER_VARIABLE * variable
        row, count = (ends[i], records[i, TOTAL]) if variable == ANY else (records[i, at + 1], records[i, at + 2])
        stop += count
        for k in range(stop - 1, stop - 1 - count, -1):
            match[k], out[k] = i, row
            row = older[row]


@njit(nogil=True, cache=True)
def obsolete(slots: I64, counts: I64, records: I64, oldest: I64, newer: I32, out: I64) -> int:
    """
    Write the rows before the first one that the records of each slot need; give how many.

    `counts` are the records of each slot, `oldest` its first row, which is moved on; -1: it has none.
    """
    at, count = 0, 0
    for i in range(slots.size):
        needed = _NEVER
        for _ in range(counts[i]):
            if records[at, START] >= 0:
                needed = min(needed, records[at, START])
            at += 1
        row = oldest[slots[i]]
        while row >= 0 and row < needed:
            out[count] = row
            count += 1
            row = newer[row]
        oldest[slots[i]] = row
    return count
