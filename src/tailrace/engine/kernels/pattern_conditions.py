"""
Kernel of the conditions of a pattern: programs for a machine with a stack, over numbers of rows and of the match so far.

A row has a cell for each expression that it answers by itself. Cells, partial matches and the stack are seen as integers and as
floating-point numbers; each operation knows which it means.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.state.kernels import I32, I64
from tailrace.state.text_kernels import Bools

F64 = npt.NDArray[np.float64]

STATE, START, TIME, TOTAL, VARIABLES = range(5)
"""The columns of a partial match: state, first row (-1: none yet), its time, how many rows, then those of the variables."""
PER_VARIABLE = 3
"""Of each variable: its first row, its last, and how many."""

CELL, CONSTANT, AGGREGATE, TO_FLOAT, SCALE, WRAP = range(6)
ADD, SUBTRACT, MULTIPLY, NEGATE = range(10, 14)
EQUAL, UNEQUAL, LESS, AT_MOST = range(20, 24)
AND, OR, NOT, IS_NULL, CHOOSE, COALESCE = range(30, 36)
COUNT_ROWS, COUNT, SUM, AVERAGE, MINIMUM, MAXIMUM = range(6)

ANY = -1
CURRENT = -2


class Rows(NamedTuple):
    """
    The stored rows: their cells (the first row of these is that of a row that is not there), times, and neighbours.

    `older` and `newer` lead from a row to those of its partition beside it.
    """

    ints: I64
    floats: F64
    valid: Bools
    times: I64
    older: I32
    newer: I32


class Programs(NamedTuple):
    """
    The conditions of all variables.

    `code` has operations (operation, on floating-point numbers, argument, variable, last, offset), those of variable v from
    `starts[v]` on; `aggregates` (kind, floating-point, variable, cell).
    """

    code: I64
    starts: I64
    ints: I64
    floats: F64
    aggregates: I64


class Stack(NamedTuple):
    """Room for the values at hand."""

    ints: I64
    floats: F64
    valid: Bools


@njit(nogil=True, cache=True)
def _walk(row: int, steps: int, links: I32) -> int:
    for _ in range(steps):
        row = links[row]
    return row


@njit(nogil=True, cache=True)
def locate(record: I64, row: int, own: int, variable: int, last: int, offset: int, older: I32, newer: I32) -> int:
    """
    Give the row that a reference means in a match, as if `row` was one of variable `own` too; -1 for none.

    With `own` ANY the match is as it is, and ends with `row`.
    """
    if variable == ANY:
        first, newest, count, mine = record[START], row, record[TOTAL], own != ANY
    else:
        at = VARIABLES + PER_VARIABLE * variable
        first, newest, count, mine = record[at], record[at + 1], record[at + 2], variable == own
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
def _aggregate(
    k: int, record: I64, floats: F64, row: int, own: int, rows: Rows, programs: Programs, stack: Stack, top: int
) -> None:
    """Put the value of an aggregate on the stack, with the row at hand if it counts."""
    kind, is_float, variable, cell = programs.aggregates[k]
    at = record.size - 2 * programs.aggregates.shape[0] + 2 * k
    mine = variable in (ANY, own) and (kind == COUNT_ROWS or rows.valid[row + 1, cell])
    count = record[at + 1] + mine
    stack.valid[top] = kind <= COUNT or count > 0
    if kind <= COUNT:
        stack.ints[top] = count
    elif count > 0 and is_float:
        one = floats[at] if not mine else rows.floats[row + 1, cell]
        if mine and count > 1:
            one = merged(kind, floats[at], one)
        stack.floats[top] = one / count if kind == AVERAGE else one
    elif count > 0:
        total = record[at] if not mine else rows.ints[row + 1, cell]
        if mine and count > 1:
            total = merged(kind, record[at], total)
        stack.ints[top] = truncated(total, count) if kind == AVERAGE else total


@njit(nogil=True, cache=True)
def merged(kind: int, a: float, b: float) -> float:
    """Add a value to those of an aggregate."""
    if kind == MINIMUM:
        return min(a, b)
    return max(a, b) if kind == MAXIMUM else a + b


@njit(nogil=True, cache=True)
def truncated(total: int, count: int) -> int:
    """Divide as SQL does: towards zero."""
    return total // count if total >= 0 else -(-total // count)


@njit(nogil=True, cache=True)
def _arithmetic(operation: int, is_float: int, stack: Stack, top: int) -> None:
    """Compute with the upper two values; the result stands in the place of the lower one."""
    a, b = top, top + 1
    stack.valid[a] &= stack.valid[b]
    if is_float:
        x, y = stack.floats[a], stack.floats[b]
        stack.floats[a] = x + y if operation == ADD else x - y if operation == SUBTRACT else x * y
    else:
        i, j = stack.ints[a], stack.ints[b]
        stack.ints[a] = i + j if operation == ADD else i - j if operation == SUBTRACT else i * j


@njit(nogil=True, cache=True)
def _compare(operation: int, is_float: int, stack: Stack, top: int) -> None:
    a, b = top, top + 1
    stack.valid[a] &= stack.valid[b]
    if is_float:
        x, y = stack.floats[a], stack.floats[b]
        equal, less = x == y, x < y
    else:
        equal, less = stack.ints[a] == stack.ints[b], stack.ints[a] < stack.ints[b]
    if operation <= UNEQUAL:
        stack.ints[a] = equal == (operation == EQUAL)
    else:
        stack.ints[a] = less or (equal and operation == AT_MOST)


@njit(nogil=True, cache=True)
def _combine(operation: int, stack: Stack, top: int) -> None:
    """AND and OR of three values: one that decides makes NULL at the other side no matter."""
    a, b = top, top + 1
    decides = 0 if operation == AND else 1
    first = stack.valid[a] and stack.ints[a] == decides
    decided = first or (stack.valid[b] and stack.ints[b] == decides)
    stack.valid[a] = decided or (stack.valid[a] and stack.valid[b])
    stack.ints[a] = decides if decided else 1 - decides


@njit(nogil=True, cache=True)
def _move(stack: Stack, into: int, place: int) -> None:
    stack.ints[into], stack.floats[into], stack.valid[into] = stack.ints[place], stack.floats[place], stack.valid[place]


@njit(nogil=True, cache=True)
def _choose(operation: int, stack: Stack, top: int) -> None:
    """CHOOSE: the second value if the first is true, else the third; COALESCE: the first that is not NULL."""
    if operation == COALESCE:
        if not stack.valid[top]:
            _move(stack, top, top + 1)
    else:
        _move(stack, top, top + 1 if stack.valid[top] and stack.ints[top] else top + 2)


@njit(nogil=True, cache=True)
def _change(operation: int, is_float: int, argument: int, programs: Programs, stack: Stack, top: int) -> None:
    """Change the uppermost value."""
    if operation == NOT:
        stack.ints[top] = 1 - stack.ints[top]
    elif operation == IS_NULL:
        stack.ints[top], stack.valid[top] = not stack.valid[top], True
    elif operation == TO_FLOAT:
        stack.floats[top] = stack.ints[top] / programs.floats[argument]
    elif operation == SCALE:
        stack.ints[top] *= programs.ints[argument]
    elif operation == WRAP:
        stack.ints[top] = (stack.ints[top] << argument) >> argument
    elif is_float:
        stack.floats[top] = -stack.floats[top]
    else:
        stack.ints[top] = -stack.ints[top]


@njit(nogil=True, cache=True)
def _load(
    operation: I64, record: I64, floats: F64, row: int, own: int, rows: Rows, programs: Programs, stack: Stack, top: int
) -> None:
    """Put a value on the stack."""
    is_float, argument = operation[1], operation[2]
    if operation[0] == AGGREGATE:
        _aggregate(argument, record, floats, row, own, rows, programs, stack, top)
    elif operation[0] == CONSTANT:
        stack.ints[top], stack.floats[top] = programs.ints[argument], programs.floats[argument]
        stack.valid[top] = operation[5] == 0
    else:
        at = row
        if operation[3] != CURRENT:
            at = locate(record, row, own, operation[3], operation[4], operation[5], rows.older, rows.newer)
        stack.valid[top] = rows.valid[at + 1, argument]
        if is_float:
            stack.floats[top] = rows.floats[at + 1, argument]
        else:
            stack.ints[top] = rows.ints[at + 1, argument]


@njit(nogil=True, cache=True)
def holds(own: int, record: I64, floats: F64, row: int, rows: Rows, programs: Programs, stack: Stack) -> bool:
    """Tell whether a row may be one of variable `own` in a partial match; `floats` is the record as seen otherwise."""
    top = -1
    for i in range(programs.starts[own], programs.starts[own + 1]):
        operation = programs.code[i, 0]
        if operation <= AGGREGATE:
            top += 1
            _load(programs.code[i], record, floats, row, own, rows, programs, stack, top)
        elif operation in (TO_FLOAT, SCALE, WRAP, NEGATE, NOT, IS_NULL):
            _change(operation, programs.code[i, 1], programs.code[i, 2], programs, stack, top)
        elif operation == CHOOSE:
            top -= 2
            _choose(operation, stack, top)
        else:
            top -= 1
            if operation < EQUAL:
                _arithmetic(operation, programs.code[i, 1], stack, top)
            elif operation < AND:
                _compare(operation, programs.code[i, 1], stack, top)
            elif operation == COALESCE:
                _choose(operation, stack, top)
            else:
                _combine(operation, stack, top)
    return top < 0 or (stack.valid[0] and stack.ints[0] != 0)
