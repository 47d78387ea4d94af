"""
Kernel of one partial match that meets one row: which ways it may go on.

`room` goes on behind the stack: of each variable whether the row may be one of it, as far as was asked; states to look at; and the ways
that were found, as edge and state.
"""

from __future__ import annotations

from numba import njit

from tailrace.engine.kernels.match_heaps import copy
from tailrace.engine.kernels.pattern_conditions import (
    ANY,
    ASKED,
    COUNT,
    COUNT_ROWS,
    DEEP,
    F64,
    PER_VARIABLE,
    START,
    STATE,
    TIME,
    TOTAL,
    VARIABLES,
    holds,
    merge,
)
from tailrace.state.kernels import I32, I64
from tailrace.state.text_kernels import Bools

FINAL, TAKE = 0, 0
_UNKNOWN = -1
_KNOWN = 2 * DEEP
_MOST = 64
"""The variables that a pattern may have, so that a number has a bit for each."""
_STATES = _KNOWN + _MOST
ACTION, TARGET, FORBIDDEN = range(3)
"""The columns of an edge."""
FIRST, LAST, VARIABLE = range(3)
"""Of a state: its first edge, the one behind its last, and its variable."""


@njit(nogil=True, cache=True)
def ways_at(states: I64) -> int:
    """Give where the ways begin in `room`."""
    return int(_STATES + states.shape[0] + 1)


@njit(nogil=True, cache=True)
def _fulfils(
    v: int, records: I64, i: int, row: int, answer: int, conditions: I64, code: I64, aggregates: I64,
    cells: I64, valid: Bools, older: I32, newer: I32, answers: Bools, room: I64, floats: F64,
) -> bool:  # fmt: skip
    """Tell whether a row may be one of a variable; asked once for each partial match and row."""
    if room[_KNOWN + v] == _UNKNOWN:
        asked = conditions[v, ASKED]
        if asked >= 0:
            room[_KNOWN + v] = answers[answer + asked]
        else:
            room[_KNOWN + v] = holds(
                v, records, i, row, conditions, code, aggregates, cells, valid, older, newer, room, floats
            )
    return bool(room[_KNOWN + v] == 1)


@njit(nogil=True, cache=True)
def _passes(
    edge: int, variable: int, edges: I64, records: I64, i: int, row: int, answer: int, conditions: I64, code: I64, aggregates: I64,
    cells: I64, valid: Bools, older: I32, newer: I32, answers: Bools, room: I64, floats: F64,
) -> bool:  # fmt: skip
    """Tell whether an edge of a state with a variable may be gone with a row."""
    # the variables in question, the one that takes the row behind the forbidden ones
    asked, v = edges[edge, FORBIDDEN], 0
    if edges[edge, ACTION] == TAKE:
        asked |= 1 << variable
    while asked >> v:
        if asked >> v & 1:
            wanted = edges[edge, FORBIDDEN] >> v & 1 == 0
            if wanted != _fulfils(
                v,
                records,
                i,
                row,
                answer,
                conditions,
                code,
                aggregates,
                cells,
                valid,
                older,
                newer,
                answers,
                room,
                floats,
            ):
                return False
        v += 1
    return True


@njit(nogil=True, cache=True)
def explore(
    start: int, ends_only: bool, edges: I64, states: I64, records: I64, i: int, row: int, answer: int, conditions: I64, code: I64,
    aggregates: I64, cells: I64, valid: Bools, older: I32, newer: I32, answers: Bools, room: I64, floats: F64,
) -> int:  # fmt: skip
    """
    Write each way on from a state with a row; give how many there are.

    With `ends_only` tell by 1 that the match is complete in the state already, as all that follows may be left out.
    """
    if not ends_only:
        room[_KNOWN : _KNOWN + conditions.shape[0]] = _UNKNOWN
    count, size, ways = 0, 1, ways_at(states)
    room[_STATES] = start
    while size > 0:
        size -= 1
        state = room[_STATES + size]
        for edge in range(states[state, FIRST], states[state, LAST]):
            takes = edges[edge, ACTION] == TAKE
            if (takes and ends_only) or not _passes(
                edge, states[state, VARIABLE], edges, records, i, row, answer, conditions, code, aggregates,
                cells, valid, older, newer, answers, room, floats,
            ):  # fmt: skip
                continue
            if takes:
                room[ways + 2 * count], room[ways + 2 * count + 1] = edge, state
                count += 1
            elif ends_only and edges[edge, TARGET] == FINAL:
                return 1
            else:
                room[_STATES + size] = edges[edge, TARGET]
                size += 1
    return count


@njit(nogil=True, cache=True)
def take(
    records: I64, i: int, variable: int, target: int, row: int, time: int, aggregates: I64, cells: I64, valid: Bools,
    room: I64, floats: F64, out: I64,
) -> None:  # fmt: skip
    """Write the partial match that comes of one when a row is taken for a variable into `out[0]`."""
    copy(records, i, out, 0)
    out[0, STATE] = target
    if out[0, START] < 0:
        out[0, START], out[0, TIME] = row, time
    out[0, TOTAL] += 1
    at = VARIABLES + PER_VARIABLE * variable
    if out[0, at + 2] == 0:
        out[0, at] = row
    out[0, at + 1] = row
    out[0, at + 2] += 1
    for k in range(aggregates.shape[0]):
        if aggregates[k, 2] == ANY or aggregates[k, 2] == variable:
            _add(k, row, aggregates, cells, valid, room, floats, out)


@njit(nogil=True, cache=True)
def _add(k: int, row: int, aggregates: I64, cells: I64, valid: Bools, room: I64, floats: F64, out: I64) -> None:
    """Add a row to an aggregate: its value and its count."""
    kind, cell = aggregates[k, 0], aggregates[k, 3]
    if kind != COUNT_ROWS and not valid[row + 1, cell]:
        return
    at = out.shape[1] - 2 * (aggregates.shape[0] - k)
    if kind > COUNT:
        room[0], room[1] = out[0, at], cells[row + 1, cell]
        if out[0, at + 1] == 0:
            room[0] = room[1]
        else:
            merge(kind, aggregates[k, 1], 0, room, floats)
        out[0, at] = room[0]
    out[0, at + 1] += 1
