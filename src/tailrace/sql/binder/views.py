"""Which tables and views a view reads, and which views must be bound again when some of them have changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tailrace.sql.binder.names import View
from tailrace.sql.dialect import nodes as n


def read_by(query: n.Query) -> frozenset[str]:
    """Give the names of the tables and views that a query reads; those that it gives in WITH are none."""
    return frozenset(_read(query, frozenset()))


def _read(query: n.Query, hidden: frozenset[str]) -> Iterator[str]:
    ctes = n.get(query, "ctes") or []
    for cte in ctes:
        yield from _read(cte.args["query"], hidden)
        hidden |= {str(cte.args["name"].this)}
    done = {id(query), *(id(cte.args["query"]) for cte in ctes)}
    for part in query.walk(prune=lambda x: isinstance(x, n.Query) and x is not query):
        if isinstance(part, n.Query):
            yield from _read(part, hidden) if id(part) not in done else ()
        elif (name := _table(part)) is not None and (len(name.texts) > 1 or name.texts[0] not in hidden):
            yield name.texts[-1]


def _table(node: object) -> n.Name | None:
    """Give the name of the table that a node reads; None if it is another kind of node."""
    found = (
        node.args["name"]
        if isinstance(node, n.TableSource)
        else node.this
        if isinstance(node, n.TableArgument)
        else None
    )
    return found if isinstance(found, n.Name) else None


def reads_itself(name: str, reads: frozenset[str], views: Mapping[str, View]) -> bool:
    """Tell whether a view of this name, with a query that reads these names, would read itself, maybe by other views."""
    seen: set[str] = set()
    waiting = set(reads)
    while waiting - seen:
        seen |= waiting
        waiting = {r for w in waiting if w in views for r in views[w].reads}
    return name in seen


def readers(views: Mapping[str, View], changed: Collection[str]) -> list[str]:
    """Give the views that read any of these names, themselves or by other views; each stands behind those that it reads."""
    stale = {*changed}
    found = []
    for name in _in_order(views):
        if not stale.isdisjoint(views[name].reads):
            stale.add(name)
            found.append(name)
    return found


def _in_order(views: Mapping[str, View]) -> list[str]:
    order: dict[str, None] = {}
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen or name not in views:
            return
        seen.add(name)
        for read in sorted(views[name].reads):
            visit(read)
        order[name] = None

    for name in views:
        visit(name)
    return list(order)
