"""What stands before sinks, so that a table gets only rows that it can keep."""

from __future__ import annotations

from dataclasses import replace

from tailrace.plan.changelog import INSERT_ONLY, changelog_modes, keeps_changes
from tailrace.plan.keys import unique_keys
from tailrace.plan.nodes import Enforce, Materialize, Node, Sink

AUTO, FORCE, NONE = "auto", "force", "none"


def guard(sinks: tuple[Sink, ...], *, drop_nulls: bool, materialize: str) -> tuple[Sink, ...]:
    """
    Give optimized plans with what their tables need before them.

    Rows with NULL in a NOT NULL column are kept out. Where the rows of a query that updates are not told apart by the
    table's primary key, the last row of each key is found (`materialize` AUTO; FORCE: also where they are).
    """
    return tuple(_guarded(sink, drop_nulls, materialize) for sink in sinks)


def _guarded(sink: Sink, drop_nulls: bool, materialize: str) -> Sink:
    if sink.table is None or isinstance(sink.input, Enforce | Materialize):
        return sink
    pairs = zip(sink.schema, sink.input.schema, strict=True)
    missing = tuple(given.name for target, given in pairs if given.type.nullable and not target.type.nullable)
    made: Node = sink.input
    if missing and (drop_nulls or not _has_policy(sink)):
        made = Enforce(schema=made.schema, input=made, columns=missing, drop=drop_nulls, location=sink.location)
    if _needs_materialize(sink, materialize):
        made = Materialize(schema=made.schema, input=made, keys=sink.table.primary_key, location=sink.location)
    return sink if made is sink.input else replace(sink, input=made)


def _has_policy(sink: Sink) -> bool:
    """Whether the table itself says what happens to rows that it can't take; then it sees those with NULL too."""
    policy = sink.table.option("tailrace.on-error") if sink.table is not None else None
    return policy is not None and policy.value != "fail"


def _needs_materialize(sink: Sink, wish: str) -> bool:
    """
    Tell whether rows of one primary key must be put in order.

    A key of the query that is only a part of the table's does not do: an update would leave the row of the old key.
    """
    assert sink.table is not None
    key = sink.table.primary_key
    # a table of changes takes rows back by themselves
    if not key or wish == NONE or keeps_changes(sink.table):
        return False
    updates = changelog_modes([sink])[id(sink.input)] != INSERT_ONLY
    return wish == FORCE or (updates and frozenset(key) not in unique_keys(sink.input))
