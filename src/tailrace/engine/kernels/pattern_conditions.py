"""
Kernel of the conditions of a pattern: programs for a machine with a stack, over numbers of rows and of the match so far.

A row has a cell for each expression that it answers by itself: an integer or the bits of a floating-point number, and whether it is not
NULL. The first row of `cells` is that of a row that is not there. `table` has the programs, among all else that a pattern is made of (see
`patterns.Pattern`). `room` and `floats` are the same memory: its beginning is the stack, then come the marks of the values on it that are
not NULL. Arrays are handed on one by one, and few of them: a call hands over each by nine words.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.state.kernels import I32, I64

F64 = npt.NDArray[np.float64]

STATE, START, TIME, TOTAL, VARIABLES = range(5)
"""The columns of a partial match: state, first row (-1: none yet), its time, how many rows, then those of the variables."""
PER_VARIABLE = 3
"""Of each variable: its first row, its last, and how many. At the end of a record are its aggregates: value and count of each."""

CELL, CONSTANT, AGGREGATE, TO_FLOAT, SCALE, WRAP = range(6)
ADD, SUBTRACT, MULTIPLY, NEGATE = range(10, 14)
EQUAL, UNEQUAL, LESS, AT_MOST = range(20, 24)
AND, OR, NOT, IS_NULL, CHOOSE, COALESCE = range(30, 36)
"""
Operations: (operation, on floating-point numbers, argument, variable, last, offset). A constant is NULL with an offset; the argument
of AGGREGATE is its place in the table.
"""
COUNT_ROWS, COUNT, SUM, AVERAGE, MINIMUM, MAXIMUM = range(6)
"""Aggregates: (kind, floating-point, variable, cell, where its value is in a record, and its count behind that)."""

ANY = -1
CURRENT = -2
ZERO = cast("int", np.int64(0))
"""0, where a number begins that is handed on: of a literal numba makes a type, and compiles for it what is called."""
DEEP = 64
"""The values that a condition may have at hand."""
BEGIN, END, ASKED = range(3)
"""Of a variable: where its program begins and ends, and which of the conditions that are answered from without it has (-1: none)."""


@njit(nogil=True, cache=True)
def _walk(row: int, steps: int, links: I32) -> int:
    for _ in range(steps):
        row = links[row]
    return row


@njit(nogil=True, cache=True)
def locate(
    records: I64, i: int, row: int, own: int, variable: int, last: int, offset: int, older: I32, newer: I32
) -> int:
    """
    Give the row that a reference means in a match, as if `row` was one of variable `own` too; -1 for none.

    With `own` ANY the match is as it is, and ends with `row`.
    """
    if variable == ANY:
        first, newest, count, mine = records[i, START], row, records[i, TOTAL], own != ANY
    else:
        at = VARIABLES + PER_VARIABLE * variable
        first, newest, count, mine = records[i, at], records[i, at + 1], records[i, at + 2], variable == own
    if mine and count == 0:
        first = row
    if offset >= count + mine:
        return -1
    if not last:
        return int(_walk(first, offset, newer))
    if not mine or variable == ANY:
        return int(_walk(newest, offset, older))
    return row if offset == 0 else int(_walk(newest, offset - 1, older))


@njit(nogil=True, cache=True)
def merge(kind: int, is_float: int, at: int, room: I64, floats: F64) -> None:
    """Add the value at the place behind to that of an aggregate."""
    if is_float:
        a, b = floats[at], floats[at + 1]
        floats[at] = min(a, b) if kind == MINIMUM else max(a, b) if kind == MAXIMUM else a + b
    else:
        i, j = room[at], room[at + 1]
        room[at] = min(i, j) if kind == MINIMUM else max(i, j) if kind == MAXIMUM else i + j


@njit(nogil=True, cache=True)
def _aggregate(
    k: int, top: int, records: I64, i: int, row: int, own: int, table: I64, cells: I64, room: I64, floats: F64
) -> None:
    """Put the value of an aggregate on the stack, with the row at hand if it counts."""
    kind, is_float, variable, cell, at = table[k, 0], table[k, 1], table[k, 2], table[k, 3], table[k, 4]
    mine = variable in (ANY, own) and (kind == COUNT_ROWS or cells[row + 1, 2 * cell + 1] != 0)
    count = records[i, at + 1] + mine
    room[DEEP + top] = kind <= COUNT or count > 0
    if kind <= COUNT:
        room[top] = count
        return
    room[top] = records[i, at]
    if mine:
        room[top + 1] = cells[row + 1, 2 * cell]
        if count == 1:
            room[top] = room[top + 1]
        else:
            merge(kind, is_float, top, room, floats)
    if kind == AVERAGE and count > 0:
        if is_float:
            floats[top] /= count
        else:  # towards zero, as SQL divides
            room[top] = room[top] // count if room[top] >= 0 else -(-room[top] // count)


@njit(nogil=True, cache=True)
def _arithmetic(operation: int, is_float: int, a: int, room: I64, floats: F64) -> None:
    """Compute with a value and the one behind it; the result stands in the place of the first."""
    b = a + 1
    room[DEEP + a] &= room[DEEP + b]
    if is_float:
        x, y = floats[a], floats[b]
        floats[a] = x + y if operation == ADD else x - y if operation == SUBTRACT else x * y
    else:
        i, j = room[a], room[b]
        room[a] = i + j if operation == ADD else i - j if operation == SUBTRACT else i * j


@njit(nogil=True, cache=True)
def _compare(operation: int, is_float: int, a: int, room: I64, floats: F64) -> None:
    room[DEEP + a] &= room[DEEP + a + 1]
    if is_float:
        equal, less = floats[a] == floats[a + 1], floats[a] < floats[a + 1]
    else:
        equal, less = room[a] == room[a + 1], room[a] < room[a + 1]
    if operation == EQUAL:
        room[a] = equal
    elif operation == UNEQUAL:
        room[a] = not equal
    else:
        room[a] = less or (equal and operation == AT_MOST)


@njit(nogil=True, cache=True)
def _combine(operation: int, a: int, room: I64) -> None:
    """AND and OR of three values: one that decides makes NULL at the other side no matter."""
    decides = 0 if operation == AND else 1
    first, second = room[DEEP + a], room[DEEP + a + 1]
    decided = (first != 0 and room[a] == decides) or (second != 0 and room[a + 1] == decides)
    room[DEEP + a] = decided or (first != 0 and second != 0)
    room[a] = decides if decided else 1 - decides


@njit(nogil=True, cache=True)
def _choose(operation: int, a: int, room: I64) -> None:
    """CHOOSE: the second value if the first is true, else the third; COALESCE: the first that is not NULL."""
    taken = a
    if operation == CHOOSE:
        taken = a + 1 if room[DEEP + a] and room[a] else a + 2
    elif not room[DEEP + a]:
        taken = a + 1
    room[a], room[DEEP + a] = room[taken], room[DEEP + taken]


@njit(nogil=True, cache=True)
def _join(operation: int, is_float: int, a: int, room: I64, floats: F64) -> None:
    """Make one of the upper two values."""
    if operation < EQUAL:
        _arithmetic(operation, is_float, a, room, floats)
    elif operation < AND:
        _compare(operation, is_float, a, room, floats)
    elif operation == COALESCE:
        _choose(operation, a, room)
    else:
        _combine(operation, a, room)


@njit(nogil=True, cache=True)
def _change(operation: int, is_float: int, argument: int, a: int, room: I64, floats: F64) -> None:
    """Change the uppermost value."""
    if operation == NOT:
        room[a] = 1 - room[a]
    elif operation == IS_NULL:
        room[a], room[DEEP + a] = 1 - room[DEEP + a], 1
    elif operation == TO_FLOAT:
        floats[a] = room[a] / argument
    elif operation == SCALE:
        room[a] *= argument
    elif operation == WRAP:
        room[a] = (room[a] << argument) >> argument
    elif is_float:
        floats[a] = -floats[a]
    else:
        room[a] = -room[a]


@njit(nogil=True, cache=True)
def holds(
    begin: int, end: int, own: int, records: I64, i: int, row: int, table: I64, cells: I64,
    older: I32, newer: I32, room: I64, floats: F64,
) -> bool:  # fmt: skip
    """Tell by the program from `begin` to `end` whether a row may be one of variable `own` in a partial match."""
    top = ZERO - 1
    for at in range(begin, end):
        operation, is_float, argument = table[at, 0], table[at, 1], table[at, 2]
        if operation == CELL:
            place, variable = row, table[at, 3]
            if variable != CURRENT:
                place = locate(records, i, row, own, variable, table[at, 4], table[at, 5], older, newer)
            top += 1
            room[top], room[DEEP + top] = cells[place + 1, 2 * argument], cells[place + 1, 2 * argument + 1]
        elif operation == CONSTANT:
            top += 1
            room[top], room[DEEP + top] = argument, table[at, 5] == 0
        elif operation == AGGREGATE:
            top += 1
            _aggregate(argument, top, records, i, row, own, table, cells, room, floats)
        elif operation in (TO_FLOAT, SCALE, WRAP, NEGATE, NOT, IS_NULL):
            _change(operation, is_float, argument, top, room, floats)
        elif operation == CHOOSE:
            top -= 2
            _choose(operation, top, room)
        else:
            top -= 1
            _join(operation, is_float, top, room, floats)
    return top < 0 or (room[DEEP] != 0 and room[0] != 0)
