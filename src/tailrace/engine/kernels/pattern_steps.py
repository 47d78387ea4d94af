"""
Kernel of one row that all partial matches of a partition meet: which of them go on, and by which ways.

Each state has one edge at most that takes the row, and one that goes on to another state without it; so the ways on from a state
are along a chain of states.
"""

from __future__ import annotations

from numba import njit

from tailrace.engine.kernels.match_heaps import copy, rise
from tailrace.engine.kernels.pattern_conditions import (
    ANY,
    ASKED,
    BEGIN,
    COUNT,
    COUNT_ROWS,
    DEEP,
    END,
    F64,
    PER_VARIABLE,
    START,
    STATE,
    TIME,
    TOTAL,
    VARIABLES,
    ZERO,
    holds,
    merge,
)
from tailrace.state.kernels import I32, I64
from tailrace.state.text_kernels import Bools

FINAL, NOWHERE = 0, -1
VARIABLE, TARGET, FORBIDDEN, NEXT, ENDS = range(5)
"""
The columns of a state: its variable; the state that taking a row leads to; the variables, as bits, that the row must not fulfil for that,
nor for going on; the state to go on to without the row; and what forbids that the match is complete here (NOWHERE: it never is).
"""
_KNOWN = 2 * DEEP
"""Where in `room` the variables stand, as bits, of which it is known whether the row fulfils their conditions; then those that it does."""
ROOM = _KNOWN + 2


@njit(nogil=True, cache=True)
def _fulfils(
    asked: int, wanted: int, variables: int, records: I64, i: int, row: int, answer: int, table: I64, cells: I64,
    older: I32, newer: I32, answers: Bools, room: I64, floats: F64,
) -> bool:  # fmt: skip
    """Tell whether a row fulfils, of the variables asked for, just those wanted; each is computed once for a partial match."""
    unknown, v = asked & ~room[_KNOWN], ZERO
    if (room[_KNOWN + 1] ^ wanted) & asked & ~unknown:
        return False
    while unknown >> v:
        if unknown >> v & 1:
            at = variables + v
            if table[at, ASKED] >= 0:
                true = answers[answer + table[at, ASKED]]
            else:
                true = holds(
                    table[at, BEGIN], table[at, END], v, records, i, row, table, cells, older, newer, room, floats
                )
            room[_KNOWN] |= 1 << v
            if true:
                room[_KNOWN + 1] |= 1 << v
            if true != (wanted >> v & 1 != 0):
                return False
        v += 1
    return True


@njit(nogil=True, cache=True)
def _take(
    records: I64, i: int, state: int, row: int, time: int, table: I64, aggregates: int, code: int, cells: I64,
    room: I64, floats: F64, out: I64, place: int,
) -> None:  # fmt: skip
    """Write the partial match that comes of one when a row is taken in a state."""
    copy(records, i, out, place)
    variable = table[state, VARIABLE]
    out[place, STATE] = table[state, TARGET]
    if out[place, START] < 0:
        out[place, START], out[place, TIME] = row, time
    out[place, TOTAL] += 1
    at = VARIABLES + PER_VARIABLE * variable
    if out[place, at + 2] == 0:
        out[place, at] = row
    out[place, at + 1] = row
    out[place, at + 2] += 1
    for k in range(aggregates, code):
        kind, cell = table[k, 0], 2 * table[k, 3]
        if table[k, 2] in (ANY, variable) and (kind == COUNT_ROWS or cells[row + 1, cell + 1] != 0):
            at = table[k, 4]
            if kind > COUNT:
                room[0], room[1] = out[place, at], cells[row + 1, cell]
                if out[place, at + 1] == 0:
                    room[0] = room[1]
                else:
                    merge(kind, table[k, 1], ZERO, room, floats)
                out[place, at] = room[0]
            out[place, at + 1] += 1


@njit(nogil=True, cache=True)
def meet(
    heap: I64, size: int, row: int, time: int, answer: int, asks: int, table: I64, variables: int, aggregates: int, code: int,
    cells: I64, older: I32, newer: I32, answers: Bools, room: I64, floats: F64, following: I64, fresh: I64,
) -> tuple[int, int]:  # fmt: skip
    """
    Let each partial match of a heap meet a row.

    Those that go on are put on the heap `following`, those that are complete on `fresh`; gives how many. There is room for all in both.
    """
    grown, done = ZERO, ZERO
    for i in range(size):
        room[_KNOWN], room[_KNOWN + 1] = 0, 0
        state, own = heap[i, STATE], answer + i * asks
        while state > FINAL:
            forbidden, taken = table[state, FORBIDDEN], 1 << table[state, VARIABLE]
            if forbidden and not _fulfils(
                forbidden, ZERO, variables, heap, i, row, own, table, cells, older, newer, answers, room, floats
            ):  # fmt: skip
                break
            if _fulfils(
                taken, taken, variables, heap, i, row, own, table, cells, older, newer, answers, room, floats
            ):  # fmt: skip
                _take(heap, i, state, row, time, table, aggregates, code, cells, room, floats, following, grown)
                target = table[state, TARGET]
                forbidden = table[target, ENDS]
                if forbidden == 0 or (forbidden > 0 and _fulfils(
                    forbidden, ZERO, variables, heap, i, row, own, table, cells, older, newer, answers, room, floats
                )):  # fmt: skip
                    copy(following, grown, fresh, done)
                    fresh[done, STATE] = FINAL
                    rise(fresh, done)
                    done += 1
                if target != FINAL:
                    rise(following, grown)
                    grown += 1
            state = table[state, NEXT]
        if heap[i, START] < 0:
            copy(heap, i, following, grown)
            rise(following, grown)
            grown += 1
    return grown, done
