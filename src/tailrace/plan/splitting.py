"""
Whether processes that each read a part of a table's rows give together what one that reads them all would.

Such a table is dealt out by the values of some of its columns: rows with equal values come to one process. A node that keeps state
by key is right there if these columns are among its keys, so that all rows of a key are in one process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Column
from tailrace.plan.describe import describe
from tailrace.plan.nodes import (
    Aggregate,
    Calc,
    Deduplicate,
    Join,
    Limit,
    MatchRecognize,
    Materialize,
    Node,
    Normalize,
    OverAggregate,
    OverUpdates,
    Process,
    Rank,
    Scan,
    Sink,
    Sort,
    Union,
    Versions,
    WindowAggregate,
    WindowKind,
    WindowTable,
    walk,
)
from tailrace.plan.state_bounds import state_bound


@dataclass(frozen=True, slots=True)
class Dealt:
    """The columns whose values decide which process has a row, as they are called at a node, in the order of the table's."""

    table: str
    columns: tuple[str, ...]


Ways = frozenset[Dealt]
"""The ways in which the rows of a node are dealt out, as far as that is known; none of them: somehow."""


def check(plans: Sequence[Sink], dealt: Mapping[int, tuple[str, ...]]) -> None:
    """
    Make sure that no row is missed, or put out twice, where processes share tables.

    `dealt` has the columns that tables are dealt out by, for each scan (by its id) that other processes share; none: not known.

    Raises:
        ConfigError: something needs rows that are in another process; points at it.
    """
    if not dealt:
        return
    split = _Split(dealt)
    for plan in plans:
        if split.of(plan.input) is None:
            scan = next(n for other in plans for n in walk(other) if id(n) in dealt)
            assert isinstance(scan, Scan)
            what = "the rows of this query come in each of them: they read its tables whole"
            raise _refused(scan.table.name, what, "run it in a pipeline of its own", plan)


class _Split:
    """Finds for each node how its rows are dealt out; None where every process has all of them."""

    def __init__(self, dealt: Mapping[int, tuple[str, ...]]) -> None:
        self._dealt = dealt
        self._known: dict[int, Ways | None] = {}

    def of(self, node: Node) -> Ways | None:
        """Give the ways of a node; it is looked at once."""
        if id(node) not in self._known:
            self._known[id(node)] = self._of(node)
        return self._known[id(node)]

    def _of(self, node: Node) -> Ways | None:
        if isinstance(node, Scan):
            return self._scanned(node)
        below = [self.of(n) for n in node.inputs]
        if all(ways is None for ways in below):
            return None
        match node:
            case Calc():
                return _renamed(node, below[0] or frozenset())
            case Join():
                return self._joined(node, *below)
            case Union():
                return self._united(node, below)
            case Limit() | Sort():
                raise self._needs_all(node)
        self._check_keys(node, below[0] or frozenset())
        return _within(below[0] or frozenset(), node)

    def _scanned(self, scan: Scan) -> Ways | None:
        if id(scan) not in self._dealt:
            return None
        columns = self._dealt[id(scan)]
        return _within(frozenset([Dealt(scan.table.name, columns)]) if columns else frozenset(), scan)

    def _check_keys(self, node: Node, ways: Ways) -> None:
        keys = _keys(node)
        if keys is not None and not any(set(way.columns) <= set(keys) for way in ways):
            raise self._needs_all(node)

    def _united(self, node: Union, below: Sequence[Ways | None]) -> Ways:
        if any(ways is None for ways in below):
            raise self._needs_all(node, "each of them would put out the rows of the part that all read whole")
        return frozenset.intersection(*(ways for ways in below if ways is not None))

    def _joined(self, node: Join, left: Ways | None, right: Ways | None) -> Ways:
        if left is None or right is None:
            keeps_whole = (node.kind.keeps_left or node.kind.left_only) if left is None else node.kind.keeps_right
            if keeps_whole:
                raise self._needs_all(node, "each of them would put out rows of the side that all read whole")
            return _within(left or right or frozenset(), node)
        equal = {(k.left, k.right) for k in node.keys}
        if not any(
            a.table == b.table and set(zip(a.columns, b.columns, strict=True)) <= equal for a in left for b in right
        ):
            raise self._needs_all(node)
        kept = frozenset[Dealt]() if node.kind.keeps_right else left
        return _within(kept if node.kind.keeps_left or node.kind.left_only else kept | right, node)

    def _needs_all(self, node: Node, what: str = "") -> ConfigError:
        scan = next(n for n in walk(node) if id(n) in self._dealt)
        assert isinstance(scan, Scan)
        columns = self._dealt[id(scan)]
        hint = f"{describe(node)}; read '{scan.table.name}' in one process"
        if not columns:
            hint += ", or declare what its rows are dealt out by: the columns of the messages' keys, as 'key.fields'"
        elif not what:
            hint += f", or have {', '.join(columns)} among the keys: its rows are dealt out by that"
        return _refused(scan.table.name, what or "this needs rows that are in several", hint, node)


def _refused(table: str, what: str, hint: str, node: Node) -> ConfigError:
    message = f"table '{table}' is read by several processes, each a part of its rows, and {what}"
    return ConfigError(message, hint=hint, location=node.location)


def _within(ways: Iterable[Dealt], node: Node) -> Ways:
    """Give the ways whose columns the node has."""
    return frozenset(way for way in ways if set(way.columns) <= set(node.schema.names))


def _renamed(node: Calc, ways: Ways) -> Ways:
    names: dict[str, str] = {}
    for field, expr in zip(node.schema, node.exprs, strict=True):
        if isinstance(expr, Column):
            names.setdefault(expr.name, field.name)
    known = (way for way in ways if set(way.columns) <= names.keys())
    return frozenset(Dealt(way.table, tuple(names[c] for c in way.columns)) for way in known)


def _keys(node: Node) -> tuple[str, ...] | None:
    """Give what a node keeps its state by; None for a node that keeps none."""
    match node:
        case WindowTable() if node.window.kind is WindowKind.SESSION:
            return node.window.partition
        case Aggregate() | WindowAggregate() | Deduplicate() | Versions() | Normalize() | Materialize():
            return node.keys
        case Process():
            return node.keys if state_bound(node) else None
        case Rank() | OverAggregate() | OverUpdates() | MatchRecognize():
            return node.partition
    return None
