"""
Which kinds of row changes each node of a plan gives: inserts only, or also updates and deletes.

A stream that updates always carries the row before an update, so that every operator can take rows back.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from tailrace.errors import ConfigError
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import (
    Aggregate,
    Deduplicate,
    IntervalJoin,
    Join,
    JoinKind,
    MatchRecognize,
    Materialize,
    Node,
    Normalize,
    OverAggregate,
    OverUpdates,
    Process,
    Rank,
    Scan,
    Sort,
    TemporalJoin,
    Versions,
    WindowAggregate,
    WindowJoin,
    WindowRank,
    walk,
)


class Change(Enum):
    """A kind of row change, with Flink's letters."""

    INSERT = "I"
    UPDATE_BEFORE = "UB"
    UPDATE_AFTER = "UA"
    DELETE = "D"


Mode = tuple[Change, ...]
"""The changes that a stream has, in the order of `Change`."""

INSERT_ONLY: Mode = (Change.INSERT,)
UPDATES: Mode = (Change.INSERT, Change.UPDATE_BEFORE, Change.UPDATE_AFTER)
APPEARANCES: Mode = (Change.INSERT, Change.DELETE)
ALL: Mode = tuple(Change)

UPSERTS: Mode = (Change.INSERT, Change.UPDATE_AFTER, Change.DELETE)
"""What says which row stands at a key now, and nothing of the row before."""

CHANGE_FORMATS = ("canal-json", "debezium-avro-confluent", "debezium-json", "maxwell-json", "ogg-json")
"""The formats whose rows say what has changed."""

UPSERT_CONNECTORS = ("upsert-kafka",)
"""The connectors whose rows say what stands at a primary key."""

CHANGE_OPTIONS = {
    "dynamodb": ("scan.mode", {"stream": ALL, "upsert-stream": UPSERTS, "scan-then-stream": UPSERTS}),
}
"""Connectors with an option that says what rows do as they are read, and what its words mean; others are inserts only."""

KEYED_CONNECTORS = ("cosmosdb",)
"""Those whose rows do so if the table has a primary key; without one they are rows of their own."""

_INSERTS_ONLY_IN = (
    Deduplicate, IntervalJoin, MatchRecognize, OverAggregate, Process, Sort, Versions, WindowJoin, WindowRank,
)  # fmt: skip
"""Nodes whose input must not update."""


def changelog_modes(roots: Sequence[Node]) -> dict[int, Mode]:
    """
    Give the mode of each node under these, by the node's id.

    Raises:
        ConfigError: a node can't take the updates that come into it; names what causes them.
    """
    found: dict[int, Mode] = {}
    for root in roots:
        for node in walk(root):
            if id(node) not in found:
                _check(node, found)
                found[id(node)] = _mode(node, [found[id(i)] for i in node.inputs])
    return found


def shown(mode: Mode) -> str:
    """
    Give a mode as Flink shows it.

    >>> shown(INSERT_ONLY)
    '[I]'
    """
    return f"[{','.join(c.value for c in mode)}]"


def table_mode(table: Table) -> Mode:
    """Give what the rows of a table do as they are read."""
    if table.connector in UPSERT_CONNECTORS or (table.connector in KEYED_CONNECTORS and table.primary_key):
        return UPSERTS
    option, modes = CHANGE_OPTIONS.get(table.connector, ("", {}))
    if (word := table.option(option)) is not None and word.value in modes:
        return modes[word.value]
    return ALL if keeps_changes(table) else INSERT_ONLY


def keeps_changes(table: Table) -> bool:
    """Tell whether rows of a table are written as what has changed, with those that are taken back."""
    given = table.option("value.format") or table.option("format")
    return given is not None and given.value in CHANGE_FORMATS


def updates(node: Node) -> bool:
    """Tell whether a node gives more than inserts, whatever those below it do."""
    return changelog_modes([node])[id(node)] != INSERT_ONLY


def cause_of_updates(node: Node) -> Node | None:
    """Give the node nearest to the sources that makes a stream update; None for a stream of inserts."""
    modes = changelog_modes([node])
    return next((n for n in walk(node) if modes[id(n)] != INSERT_ONLY), None)


def _check(node: Node, modes: dict[int, Mode]) -> None:
    if not isinstance(node, _INSERTS_ONLY_IN):
        return
    for below in node.inputs:
        if modes[id(below)] != INSERT_ONLY:
            cause = cause_of_updates(below)
            at = f" (from {cause.location})" if cause is not None and cause.location else ""
            message = f"{type(node).__name__} can't take rows that are updated{at}"
            raise ConfigError(message, hint="use it on a stream of inserts only", location=node.location)


def _mode(node: Node, inputs: list[Mode]) -> Mode:
    """Give the mode of one node: sources give inserts, most nodes what comes into them."""
    given = _merged(inputs)
    match node:
        case Scan():
            return table_mode(node.table)
        case Normalize() | OverUpdates():
            return ALL
        case WindowAggregate():
            return INSERT_ONLY
        case Materialize():
            return ALL if given != INSERT_ONLY else UPDATES
        case Aggregate():
            # without aggregates (SELECT DISTINCT) a row of inserts never changes once it is there
            return ALL if given != INSERT_ONLY else UPDATES if node.aggregates else INSERT_ONLY
        case Join():
            return _mode_of_join(node, inputs[0], given)
        case Deduplicate():
            return UPDATES if node.last else INSERT_ONLY
        case Rank() if not isinstance(node, WindowRank):
            return ALL if given != INSERT_ONLY else UPDATES if node.by_place else APPEARANCES
    return given


def _mode_of_join(node: Join, left: Mode, given: Mode) -> Mode:
    match node:
        case TemporalJoin():
            return left
        case WindowJoin() | IntervalJoin():
            return INSERT_ONLY
    if given != INSERT_ONLY:
        return ALL
    return INSERT_ONLY if node.kind in (JoinKind.INNER, JoinKind.SEMI) else APPEARANCES


def _merged(modes: list[Mode]) -> Mode:
    given = {change for mode in modes for change in mode} or set(INSERT_ONLY)
    return tuple(c for c in Change if c in given)
