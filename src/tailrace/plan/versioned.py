"""What a temporal join asks of its sides."""

from __future__ import annotations

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.plan.changelog import INSERT_ONLY, cause_of_updates, changelog_modes
from tailrace.plan.keys import unique_keys
from tailrace.plan.nodes import AssignWatermark, Calc, Node, Normalize, Scan, TemporalJoin


def check_temporal(node: TemporalJoin) -> None:
    """
    Make sure that the right side of a temporal join has versions by the join's keys.

    Raises:
        ConfigError: it has no key, or is not joined by it, as Flink asks.
        UnsupportedError: a side updates in a way that has no operator.
    """
    _check_key(node)
    _refuse_filter(node)
    modes = changelog_modes([node])
    if modes[id(node.left)] != INSERT_ONLY:
        hint = "join the rows before they are deduplicated or aggregated"
        if isinstance(cause_of_updates(node.left), Scan):
            hint = "read the changes as rows of their own: 'format' = 'json', with the rows before and after as ROW columns"
        message = "a temporal join of rows that are updated is not supported"
        raise UnsupportedError(message, hint=hint, location=node.location)
    if modes[id(node.right)] != INSERT_ONLY and not _is_table(node.right):
        hint = "write the versions as SELECT ... WHERE ROW_NUMBER() ... = 1 alone, and the condition into ON"
        message = "a temporal join with rows that are computed from updates is not supported"
        raise UnsupportedError(message, hint=hint, location=node.location)


def _check_key(node: TemporalJoin) -> None:
    keys = unique_keys(node.right)
    joined = {k.right for k in node.keys}
    if any(k <= joined for k in keys):
        return
    if not keys:
        hint = "declare PRIMARY KEY (...) NOT ENFORCED, or a view that keeps the last row of each key by ROW_NUMBER"
        raise ConfigError("the versioned side of a temporal join has no primary key", hint=hint, location=node.location)
    shown = " or ".join(sorted(f"({', '.join(sorted(k))})" for k in keys))
    message = f"a temporal join must compare the primary key {shown} of the versioned side for equality"
    raise ConfigError(message, hint="add it to ON", location=node.location)


def _refuse_filter(node: TemporalJoin) -> None:
    below = node.right
    filtered = False
    while isinstance(below, AssignWatermark | Calc | Normalize):
        filtered = filtered or (isinstance(below, Calc) and below.predicate is not None)
        below = below.input
    if filtered and isinstance(below, Scan):
        message = "the versioned side of a temporal join can't be filtered before it is joined, as in Flink"
        hint = "a version that is left out would not end the one before it: put the condition into ON or WHERE"
        raise ConfigError(message, hint=hint, location=node.location)


def _is_table(node: Node) -> bool:
    """Tell whether a node is a table as it is read, or computed from its columns row by row."""
    while isinstance(node, AssignWatermark | Normalize) or (isinstance(node, Calc) and node.predicate is None):
        node = node.input
    return isinstance(node, Scan)
