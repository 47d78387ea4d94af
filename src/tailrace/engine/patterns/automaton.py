"""
A pattern as an automaton, of the form that Flink gives it: which of several ways to match counts follows from it.

A state stands before the next row. It may take the row for the state's variable, or go on to another state without it.
A greedy variable lets no row go on to what follows it while the row could be its own: what the states behind it do forbids that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tailrace.engine.kernels.pattern_steps import FINAL, NOWHERE
from tailrace.plan.nodes import PatternPart
from tailrace.state.kernels import I64


@dataclass(slots=True)
class _State:
    """As the kernel has it (see `pattern_steps`); `forbidden` are variables, as bits, whose conditions the row must not fulfil."""

    variable: int
    target: int = NOWHERE
    following: int = NOWHERE
    forbidden: int = 0


@dataclass(frozen=True, slots=True)
class Automaton:
    """
    The states as a table for the kernel (see `pattern_steps`), and the one to start in.

    `ways` is the most ways that a row may lead on from a state.
    """

    start: int
    states: I64
    ways: int


def automaton(parts: Sequence[PatternPart]) -> Automaton:
    """Give the automaton of a pattern."""
    made = _Compiler()
    behind = FINAL
    for place in reversed(range(len(parts))):
        behind = made.part(parts[place], place, behind)
    ends, ways = [0], [0]
    # a state goes on to those made before it
    for state in made.states[1:]:
        known = state.following != NOWHERE and ends[state.following] != NOWHERE
        ends.append(ends[state.following] | state.forbidden if known else NOWHERE)
        ways.append(1 + (ways[state.following] if state.following != NOWHERE else 0))
    rows = [(s.variable, s.target, s.forbidden, s.following, e, 0) for s, e in zip(made.states, ends, strict=True)]
    return Automaton(behind, np.array(rows, dtype=np.int64), max(ways))


class _Compiler:
    """Makes states from the end of a pattern to its beginning."""

    def __init__(self) -> None:
        self.states = [_State(-1)]

    def part(self, part: PatternPart, variable: int, behind: int) -> int:
        """Make the states of a part before the state `behind`; give the first of them."""
        low, optional = max(part.low, 1), part.low == 0
        into = self._loop(part, variable, behind) if part.high is None else behind
        if part.greedy and part.high is not None and part.high > 1 and low != part.high:
            self._forbid(behind, variable)
        for _ in range(low, part.high or low):
            into = self._single(variable, into, behind)
        for _ in range(low - 1):
            into = self._single(variable, into, NOWHERE)
        return self._single(variable, into, behind if optional else NOWHERE)

    def _loop(self, part: PatternPart, variable: int, behind: int) -> int:
        """Make the state that takes any number of rows."""
        number = len(self.states)
        self.states.append(_State(variable, number, behind))
        if part.greedy:
            self._forbid(behind, variable)
        return number

    def _single(self, variable: int, target: int, skipped_to: int) -> int:
        """Make a state that takes one row or, if it may be left out, goes on."""
        self.states.append(_State(variable, target, skipped_to))
        return len(self.states) - 1

    def _forbid(self, state: int, variable: int) -> None:
        self.states[state].forbidden |= 1 << variable
