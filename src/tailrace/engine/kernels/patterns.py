"""
Kernel of patterns: goes through the rows of each partition with all its partial matches.

A partial match is a record as `pattern_conditions` lays it out, with the values of aggregates at its end: (value, count) of each.
A match is the rows from its first to its last, so of a variable too the first, the last and the count tell all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from tailrace.engine.kernels.match_heaps import pop, prune, push, roomy
from tailrace.engine.kernels.pattern_conditions import (
    ANY,
    COUNT,
    COUNT_ROWS,
    PER_VARIABLE,
    START,
    STATE,
    TIME,
    TOTAL,
    VARIABLES,
    Programs,
    Rows,
    Stack,
    holds,
    locate,
    merged,
)
from tailrace.state.kernels import I32, I64
from tailrace.state.text_kernels import Bools

_FINAL, _TAKE = 0, 0
_UNKNOWN, _FALSE, _TRUE = -1, 0, 1
_NEVER = 2**63 - 1
_DEEP = 64
"""The values that a condition may have at hand."""

PAST_LAST, TO_NEXT, TO_FIRST, TO_LAST = range(4)
NO_ROW, SAME_ROW = 1, 2
"""Why a match can't be skipped to a variable: it has no row of it, or it is the first row of the match."""


class Machine(NamedTuple):
    """The automaton (see `patterns.automaton`), where to go on after a match, how long one may last (0: any time)."""

    start: int
    edges: I64
    first: I64
    variables: I64
    skip: int
    target: int
    within: int
    asked: I64
    """Of each variable which of the conditions it has that are answered from without; -1: none of them."""


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


class _Room(NamedTuple):
    """Room for what is needed while one partial match meets one row."""

    stack: Stack
    known: I64
    states: I64
    record: I64
    one: I64


@njit(nogil=True, cache=True)
def _fulfils(
    v: int,
    record: I64,
    row: int,
    machine: Machine,
    rows: Rows,
    programs: Programs,
    answers: Bools,
    answer: int,
    room: _Room,
) -> bool:
    """Tell whether a row may be one of a variable; asked once for each partial match and row."""
    if room.known[v] == _UNKNOWN:
        if machine.asked[v] >= 0:
            room.known[v] = answers[answer + machine.asked[v]]
        else:
            room.known[v] = holds(v, record, record.view(np.float64), row, rows, programs, room.stack)
    return bool(room.known[v] == _TRUE)


@njit(nogil=True, cache=True)
def _passes(
    edge: int,
    state: int,
    record: I64,
    row: int,
    machine: Machine,
    rows: Rows,
    programs: Programs,
    answers: Bools,
    answer: int,
    room: _Room,
) -> bool:
    """Tell whether an edge may be gone with a row."""
    takes, forbidden = machine.edges[edge, 0] == _TAKE, machine.edges[edge, 2]
    if takes and not _fulfils(machine.variables[state], record, row, machine, rows, programs, answers, answer, room):
        return False
    for v in range(machine.asked.size):
        if forbidden >> v & 1 and _fulfils(v, record, row, machine, rows, programs, answers, answer, room):
            return False
    return True


@njit(nogil=True, cache=True)
def _take(
    record: I64, state: int, target: int, row: int, machine: Machine, rows: Rows, programs: Programs, out: I64
) -> None:
    """Write the partial match that comes of one when a row is taken in a state."""
    variable = machine.variables[state]
    out[:] = record
    out[STATE] = target
    if record[START] < 0:
        out[START], out[TIME] = row, rows.times[row]
    out[TOTAL] += 1
    at = VARIABLES + PER_VARIABLE * variable
    if out[at + 2] == 0:
        out[at] = row
    out[at + 1] = row
    out[at + 2] += 1
    first = out.size - 2 * programs.aggregates.shape[0]
    for k in range(programs.aggregates.shape[0]):
        kind, is_float, of, cell = programs.aggregates[k]
        if of in (ANY, variable) and (kind == COUNT_ROWS or rows.valid[row + 1, cell]):
            _add(out[first + 2 * k : first + 2 * k + 2], kind, is_float, row, cell, rows)


@njit(nogil=True, cache=True)
def _add(out: I64, kind: int, is_float: int, row: int, cell: int, rows: Rows) -> None:
    """Add a row to an aggregate: its value and its count."""
    if kind > COUNT and is_float:
        values = out.view(np.float64)
        one = rows.floats[row + 1, cell]
        values[0] = one if out[1] == 0 else merged(kind, values[0], one)
    elif kind > COUNT:
        number = rows.ints[row + 1, cell]
        out[0] = number if out[1] == 0 else merged(kind, out[0], number)
    out[1] += 1


@njit(nogil=True, cache=True)
def _may_end(
    state: int,
    record: I64,
    row: int,
    machine: Machine,
    rows: Rows,
    programs: Programs,
    answers: Bools,
    answer: int,
    room: _Room,
) -> bool:
    """Tell whether a match is complete in a state already, as all that follows may be left out."""
    size = 1
    room.states[0] = state
    while size > 0:
        size -= 1
        state = room.states[size]
        for edge in range(machine.first[state], machine.first[state + 1]):
            if machine.edges[edge, 0] != _TAKE and _passes(
                edge, state, record, row, machine, rows, programs, answers, answer, room
            ):
                if machine.edges[edge, 1] == _FINAL:
                    return True
                room.states[size] = machine.edges[edge, 1]
                size += 1
    return False


@njit(nogil=True, cache=True)
def _ways(
    record: I64,
    row: int,
    machine: Machine,
    rows: Rows,
    programs: Programs,
    answers: Bools,
    answer: int,
    room: _Room,
    out: I64,
) -> int:
    """Write the (edge, state) that takes the row for each way on from a partial match; give how many."""
    count, size = 0, 1
    room.states[0] = record[STATE]
    while size > 0:
        size -= 1
        state = room.states[size]
        for edge in range(machine.first[state], machine.first[state + 1]):
            if not _passes(edge, state, record, row, machine, rows, programs, answers, answer, room):
                continue
            if machine.edges[edge, 0] == _TAKE:
                out[count, 0], out[count, 1] = edge, state
                count += 1
            else:
                room.states[size] = machine.edges[edge, 1]
                size += 1
    return count


@njit(nogil=True, cache=True)
def _pruned_to(match: I64, machine: Machine) -> int:
    """Give the row before which no other match may begin; -NO_ROW or -SAME_ROW if there is none."""
    if machine.skip == TO_NEXT:
        return int(match[START]) + 1
    if machine.skip == PAST_LAST:
        last = -1
        for v in range(machine.asked.size):
            last = max(last, match[VARIABLES + PER_VARIABLE * v + 1])
        return last + 1
    at = VARIABLES + PER_VARIABLE * machine.target
    if match[at + 2] == 0:
        return -NO_ROW
    row = int(match[at + (0 if machine.skip == TO_FIRST else 1)])
    return row if row != match[START] else -SAME_ROW


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
    machine: Machine,
    room: _Room,
) -> tuple[I64, int, int, int, int]:
    """Put out the complete matches that no earlier partial one holds back; those that overlap go."""
    while waiting > 0 and (size == 0 or heap[0, START] < 0 or complete[0, START] <= heap[0, START]):
        waiting = pop(complete, waiting, room.one)
        row = _pruned_to(room.one, machine)
        if row < 0:
            return matches, count, size, waiting, -row
        matches = roomy(matches, count)
        matches[count, 0], matches[count, 1] = slot, time
        matches[count, 2:] = room.one
        count += 1
        size = prune(heap, size, row)
        waiting = prune(complete, waiting, row)
    return matches, count, size, waiting, 0


@njit(nogil=True, cache=True)
def _first_deadline(heap: I64, size: int, within: int) -> int:
    """Give the first time at which a partial match has lasted too long: the earliest, which is at the top."""
    return int(heap[0, TIME]) + within if size > 0 and heap[0, START] >= 0 else _NEVER


@njit(nogil=True, cache=True)
def _without_expired(heap: I64, size: int, spare: I64, deadline: int, within: int) -> tuple[I64, int]:
    """Give the partial matches that may go on at a deadline, in `spare`."""
    kept = 0
    for i in range(size):
        if heap[i, START] < 0 or heap[i, TIME] + within > deadline:
            spare = push(spare, kept, heap[i])
            kept += 1
    return spare, kept


@njit(nogil=True, cache=True)
def _ask(questions: I64, count: int, run: int, heap: I64, size: int, row: int, machine: Machine) -> tuple[I64, int]:
    """Write down what must be known of a row for each partial match."""
    for i in range(size):
        for v in range(machine.asked.size):
            if machine.asked[v] >= 0:
                questions = roomy(questions, count)
                questions[count, 0], questions[count, 1], questions[count, 2], questions[count, 3] = run, i, v, row
                questions[count, 4:] = heap[i]
                count += 1
    return questions, count


@njit(nogil=True, cache=True)
def _begin(machine: Machine, record: I64) -> None:
    """Write the partial match that has no row yet."""
    record[:] = 0
    record[STATE], record[START] = machine.start, -1
    for v in range(machine.asked.size):
        record[VARIABLES + PER_VARIABLE * v : VARIABLES + PER_VARIABLE * v + 2] = -1


@njit(nogil=True, cache=True)
def walk(  # noqa: C901 - the loops over runs, rows and partial matches, which share their heaps
    runs: Runs, watermark: int, pool: Pool, machine: Machine, rows: Rows, programs: Programs, answers: Bools
) -> Found:
    """
    Go through the rows of each run, then let the time come to the watermark.

    Where a condition must be answered from without, a run stops before the row; its `begins` is then where it goes on.
    """
    width, variables = pool.records.shape[1], machine.asked.size
    stack = Stack(np.empty(_DEEP, dtype=np.int64), np.empty(_DEEP, dtype=np.float64), np.empty(_DEEP, dtype=np.bool_))
    room = _Room(
        stack,
        np.empty(variables, dtype=np.int64),
        np.empty(machine.variables.size + 1, dtype=np.int64),
        np.empty(width, dtype=np.int64),
        np.empty(width, dtype=np.int64),
    )
    ways = np.empty((machine.edges.shape[0], 2), dtype=np.int64)
    heap, following = np.empty((16, width), dtype=np.int64), np.empty((16, width), dtype=np.int64)
    complete, fresh = np.empty((16, width), dtype=np.int64), np.empty((16, width), dtype=np.int64)
    matches, count = np.empty((64, width + 2), dtype=np.int64), 0
    questions, asked = np.empty((16, width + 4), dtype=np.int64), 0
    kept, total = np.empty((64, width), dtype=np.int64), 0
    left = np.zeros((2, runs.slots.size), dtype=np.int64)
    asks = machine.asked.max() + 1
    for run in range(runs.slots.size):
        slot = runs.slots[run]
        size, waiting = pool.open[slot], pool.complete[slot]
        for i in range(size):
            heap = roomy(heap, i)
            heap[i] = pool.records[pool.heads[slot] + i]
        for i in range(waiting):
            complete = roomy(complete, i)
            complete[i] = pool.records[pool.heads[slot] + size + i]
        if size == 0:
            _begin(machine, heap[0])
            size = 1
        row, answer = runs.begins[run], runs.answers[run]
        while True:
            time = rows.times[row] if row < runs.ends[run] else watermark
            while machine.within > 0:
                deadline = _first_deadline(heap, size, machine.within)
                if deadline == _NEVER or deadline > time:
                    break
                following, size = _without_expired(heap, size, following, deadline, machine.within)
                heap, following = following, heap
                matches, count, size, waiting, trouble = _released(
                    heap, size, complete, waiting, matches, count, slot, deadline, machine, room
                )
                if trouble:
                    return Found(kept[:total], left[0], left[1], matches[:count], questions[:asked], trouble, slot)
            if row == runs.ends[run]:
                break
            if asks > 0 and answer < 0:
                questions, asked = _ask(questions, asked, run, heap, size, row, machine)
                break
            grown, done = 0, 0
            for i in range(size):
                room.known[:] = _UNKNOWN
                own = answer + i * asks
                found = _ways(heap[i], row, machine, rows, programs, answers, own, room, ways)
                for k in range(found):
                    target = machine.edges[ways[k, 0], 1]
                    _take(heap[i], ways[k, 1], target, row, machine, rows, programs, room.record)
                    if target != _FINAL:
                        following = push(following, grown, room.record)
                        grown += 1
                        if not _may_end(target, heap[i], row, machine, rows, programs, answers, own, room):
                            continue
                        room.record[STATE] = _FINAL
                    fresh = push(fresh, done, room.record)
                    done += 1
                if heap[i, START] < 0:
                    following = push(following, grown, heap[i])
                    grown += 1
            for i in range(done):
                complete = push(complete, waiting, fresh[i])
                waiting += 1
            heap, following, size = following, heap, grown
            matches, count, size, waiting, trouble = _released(
                heap, size, complete, waiting, matches, count, slot, time, machine, room
            )
            if trouble:
                return Found(kept[:total], left[0], left[1], matches[:count], questions[:asked], trouble, slot)
            row, answer = row + 1, -1
        runs.begins[run] = row
        if size == 1 and waiting == 0 and heap[0, START] < 0:
            size = 0
        left[0, run], left[1, run] = size, waiting
        for i in range(size):
            kept = roomy(kept, total)
            kept[total] = heap[i]
            total += 1
        for i in range(waiting):
            kept = roomy(kept, total)
            kept[total] = complete[i]
            total += 1
    return Found(kept[:total], left[0], left[1], matches[:count], questions[:asked], 0, -1)


@njit(nogil=True, cache=True)
def locate_all(
    records: I64, ends: I64, variable: int, last: int, offset: int, older: I32, newer: I32, out: I64
) -> None:
    """Write the row that a reference means in each match, which ends with the row of `ends`; -1 for none."""
    for i in range(records.shape[0]):
        out[i] = locate(records[i], ends[i], ANY, variable, last, offset, older, newer)


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
