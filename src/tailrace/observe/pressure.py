"""What slows a job down, told from the shares of time that its parts were at work or waited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MUCH = 0.5
"""A part that waits for another for this share of the time is held back by it."""

FULL = 0.8
"""An engine that is at work for this share of the time has no more to give."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The part that sets the pace: its name, the share of time that it takes, and why it is that one."""

    name: str
    share: float
    reason: str


def bottleneck(
    held_sources: Mapping[str, float],
    busy_operators: Mapping[str, float],
    holding_sinks: Mapping[str, float],
    lags: Mapping[str, int | None],
) -> Bottleneck | None:
    """
    Find what sets the pace, or None if the job keeps up with what comes.

    All are shares of time by name: that a source waited for the engine, that an operator was at work, that the engine
    waited for a sink.

    >>> bottleneck({"scan-t": 0.9}, {"calc": 0.1, "join": 0.8}, {}, {}).name
    'join'
    >>> bottleneck({"scan-t": 0.9}, {"calc": 0.1}, {"sink-o": 0.8}, {}).reason
    'the engine waits for it'
    >>> bottleneck({"scan-t": 0.0}, {"calc": 0.1}, {"sink-o": 0.0}, {"scan-t": 5000}).name
    'scan-t'
    """
    sink = _most(holding_sinks)
    if sink is not None and holding_sinks[sink] >= MUCH:
        return Bottleneck(sink, holding_sinks[sink], "the engine waits for it")
    engine = sum(busy_operators.values())
    operator = _most(busy_operators)
    held = max(held_sources.values(), default=0.0) >= MUCH
    if operator is not None and (engine >= FULL or held):
        return Bottleneck(operator, busy_operators[operator], "it takes most of the engine's time")
    waiting = {n: float(lag) for n, lag in lags.items() if lag}
    source = _most(waiting)
    if source is not None and not held and engine < MUCH:
        return Bottleneck(source, 1.0 - engine, "the engine waits for rows, and more are there to be read")
    return None


def _most(shares: Mapping[str, float]) -> str | None:
    return max(shares, key=lambda name: shares[name], default=None)
