"""
A pattern as an automaton, of the form that Flink gives it: which of several ways to match counts follows from it.

A state stands before the next row. Its edges take the row for the state's variable, or proceed to another state without one.
A greedy variable lets no row go on to what follows it while the row could be its own: the edges behind it forbid that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from tailrace.engine.kernels.pattern_steps import FINAL, TAKE
from tailrace.plan.nodes import PatternPart
from tailrace.state.kernels import I64

PROCEED = 1


@dataclass(slots=True)
class _Edge:
    takes: bool
    target: int
    forbidden: int = 0
    """Variables, as bits, whose conditions the row must not fulfil."""


@dataclass(slots=True)
class _State:
    variable: int
    edges: list[_Edge] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Automaton:
    """
    The states as tables for the kernel, and the one to start in.

    `edges` has (action, target, forbidden variables as bits), those of a state side by side; `states` (first edge, the one behind
    the last, variable).
    """

    start: int
    edges: I64
    states: I64


def automaton(parts: Sequence[PatternPart]) -> Automaton:
    """Give the automaton of a pattern."""
    made = _Compiler()
    behind = FINAL
    for place in reversed(range(len(parts))):
        behind = made.part(parts[place], place, behind)
    edges = [(TAKE if e.takes else PROCEED, e.target, e.forbidden) for s in made.states for e in s.edges]
    ends = list(accumulate(len(s.edges) for s in made.states))
    states = [(end - len(s.edges), end, s.variable) for s, end in zip(made.states, ends, strict=True)]
    return Automaton(behind, np.array(edges, dtype=np.int64).reshape(-1, 3), np.array(states, dtype=np.int64))


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
            into = self._single(variable, into, None)
        return self._single(variable, into, behind if optional else None)

    def _loop(self, part: PatternPart, variable: int, behind: int) -> int:
        """Make the state that takes any number of rows."""
        number = len(self.states)
        self.states.append(_State(variable, [_Edge(takes=False, target=behind), _Edge(takes=True, target=number)]))
        if part.greedy:
            self._forbid(behind, variable)
        return number

    def _single(self, variable: int, into: int, skipped_to: int | None) -> int:
        """Make a state that takes one row or, if it may be left out, proceeds."""
        edges = [_Edge(takes=True, target=into)]
        if skipped_to is not None:
            edges.append(_Edge(takes=False, target=skipped_to))
        self.states.append(_State(variable, edges))
        return len(self.states) - 1

    def _forbid(self, state: int, variable: int) -> None:
        for edge in self.states[state].edges:
            edge.forbidden |= 1 << variable
