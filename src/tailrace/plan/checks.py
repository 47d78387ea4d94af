"""What a plan must keep to before it may run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.plan.changelog import INSERT_ONLY, changelog_modes
from tailrace.plan.nodes import (
    Aggregate,
    Node,
    Process,
    Rank,
    Sink,
    TemporalJoin,
    WindowAggregate,
    WindowKind,
    WindowRank,
    walk,
)
from tailrace.plan.versioned import check_temporal
from tailrace.plan.windowing import windowed


def check(sinks: Sequence[Sink]) -> None:
    """
    Make sure that optimized plans can run.

    Raises:
        ConfigError: a node can't take the updates that come into it, or numbers rows in a way that Flink refuses too.
        UnsupportedError: a window is used in a way that has no operator.
    """
    modes = changelog_modes(sinks)
    _check_uids({id(n): n for sink in sinks for n in walk(sink) if isinstance(n, Process)}.values())
    for node in (n for sink in sinks for n in walk(sink)):
        if isinstance(node, Rank):
            _check_rank(node)
        if isinstance(node, TemporalJoin):
            check_temporal(node)
        if isinstance(node, Aggregate) and modes[id(node.input)] != INSERT_ONLY:
            _check_user(
                node, "retract", "its input updates, and rows are taken back from it", "retract(self, acc, ...)"
            )
        if isinstance(node, WindowAggregate) and node.window.kind is not WindowKind.TUMBLE:
            needs = f"{node.window.kind.value} puts accumulators together"
            _check_user(node, "merge", needs, "merge(self, acc, others)")


def _check_uids(calls: Iterable[Process]) -> None:
    """Make sure that each call of a process function has a state of its own."""
    known: dict[str, Process] = {}
    for call in calls:
        if call.uid in known:
            message = f"two calls of process functions have the uid '{call.uid}', but are not the same"
            raise ConfigError(message, hint="give one of them another uid", location=call.location)
        known[call.uid] = call


def _check_user(node: Aggregate | WindowAggregate, method: str, reason: str, hint: str) -> None:
    """Make sure that the aggregates of the user have a method that they need here."""
    for call in node.aggregates:
        if call.user is not None and not hasattr(call.user.function.declaration.target, method):
            message = f"the aggregate {call.function} has no {method}, but {reason}"
            raise ConfigError(message, hint=f"write the method {hint}", location=call.location)


def _check_rank(node: Rank) -> None:
    window = windowed(node.input) if isinstance(node, WindowRank) else None
    if window is not None and window.spec.processing_time:
        hint = "use a window over a row time"
        raise _refused("rows can't be ranked by a window of processing time, as in Flink", hint, node)
    if node.end is None:
        _check_all_places(node)
    elif node.function != "ROW_NUMBER":
        hint = "use ROW_NUMBER, which is right where no two rows are equal in the order"
        raise _refused(f"{node.function} can't limit the rows of a stream, as in Flink", hint, node)
    elif node.end < 1:
        hint = "places begin with 1"
        raise _refused(f"no row has a place up to {node.end}", hint, node)


def _check_all_places(node: Rank) -> None:
    """Refuse what numbers all rows, unless the numbers can be kept right as Flink does."""
    name = node.number if node.number and not node.number.startswith("__") else "rn"
    hint = f"add a condition on the last place, as {name} <= 10"
    if node.start > 1:
        raise _refused(f"the places from {node.start} on have no end", hint, node)
    if len(node.order) > 1 or node.order[0].descending:
        message = f"{node.function} of all rows needs one column in its ORDER BY, ascending, as in Flink"
        raise _refused(message, hint, node)
    if node.function != "ROW_NUMBER" or node.input.schema[node.order[0].column].time is not None:
        message = f"{node.function} of all rows by time is not supported yet"
        raise UnsupportedError(message, hint=hint, location=node.location)


def _refused(message: str, hint: str, node: Node) -> ConfigError:
    return ConfigError(message, hint=hint, location=node.location)
