"""An aggregate over a window table function becomes one operator that keeps slices instead of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tailrace.expressions.nodes import Column, Expr, columns, substitute
from tailrace.plan.nodes import Aggregate, Calc, Node, WindowAggregate, WindowKind, WindowProperty, WindowTable
from tailrace.plan.rewrite.predicates import conjuncts, joined
from tailrace.schema import Field, Schema

_EDGES = {p.value: p for p in WindowProperty}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What calcs over a window compute: `exprs` and `parts` (of the condition) are over the window's own columns."""

    table: WindowTable
    exprs: dict[str, Expr]
    parts: tuple[Expr, ...] = ()


def window_aggregate(node: Aggregate) -> Node | None:
    """
    Give the same as a window aggregate; None if it groups by no window, or mixes the window's edges with other columns.

    Keys and conditions over nothing but the window's edges are computed above the window aggregate.
    """
    seen = _see_through(node.input)
    if seen is None or not _groups_by_window(node, seen):
        return None
    inner = [e for e in _used(node, seen) if not _over_edges(e)]
    if any(columns(e) & _EDGES.keys() for e in inner):
        return None
    if seen.table.window.kind is WindowKind.SESSION and not _groups_by_partition(node, seen):
        return None
    return _build(node, seen)


def groups_by_window(node: Aggregate) -> bool:
    """Tell whether start and end of a window are among the keys."""
    seen = _see_through(node.input)
    return seen is not None and _groups_by_window(node, seen)


def _see_through(node: Node) -> _Seen | None:
    if isinstance(node, WindowTable):
        return _Seen(node, {f.name: Column(f.type, f.name) for f in node.schema})
    if not isinstance(node, Calc):
        return None
    below = _see_through(node.input)
    if below is None:
        return None
    exprs = {f.name: substitute(e, below.exprs) for f, e in zip(node.schema, node.exprs, strict=True)}
    parts = tuple(substitute(p, below.exprs) for p in conjuncts(node.predicate))
    return _Seen(below.table, exprs, below.parts + parts)


def _groups_by_window(node: Aggregate, seen: _Seen) -> bool:
    keys = {e.name for k in node.keys if isinstance(e := seen.exprs[k], Column)}
    return keys >= {WindowProperty.START.value, WindowProperty.END.value}


def _groups_by_partition(node: Aggregate, seen: _Seen) -> bool:
    """Tell whether the keys beside the edges are just the columns by which sessions are made."""
    keys = [seen.exprs[k] for k in node.keys if not _over_edges(seen.exprs[k])]
    names = {e.name for e in keys if isinstance(e, Column)}
    return len(names) == len(keys) and names == set(seen.table.window.partition)


def _over_edges(expr: Expr) -> bool:
    used = columns(expr)
    return bool(used) and used <= _EDGES.keys()


def _arguments(node: Aggregate) -> list[str]:
    given = [name for a in node.aggregates for name in (a.arg, a.filter) if name is not None]
    return list(dict.fromkeys(given))


def _used(node: Aggregate, seen: _Seen) -> list[Expr]:
    """Give everything that must be known below; an aggregate's argument can't be computed above it."""
    keys = [seen.exprs[k] for k in node.keys]
    return [*keys, *seen.parts]


def _build(node: Aggregate, seen: _Seen) -> Node | None:
    arguments = _arguments(node)
    if any(columns(seen.exprs[a]) & _EDGES.keys() for a in arguments):
        return None
    keys = tuple(k for k in node.keys if not _over_edges(seen.exprs[k]))
    needed = list(dict.fromkeys([*keys, *arguments]))
    below, spec = _below(node, seen, needed)
    window = replace(seen.table.window, time_column=spec, partition=())
    counted = node.schema.fields[len(node.keys) :]
    edges = {p: f"__{p.value}" for p in WindowProperty if _needs(p, node, seen)}
    added = tuple(replace(seen.table.schema[p.value], name=name) for p, name in edges.items())
    made = WindowAggregate(
        schema=Schema((*(node.schema[k] for k in keys), *counted, *added)),
        input=below,
        window=window,
        keys=keys,
        aggregates=node.aggregates,
        properties=tuple(edges),
        location=node.location,
    )
    return _above(node, seen, made, edges)


def _needs(edge: WindowProperty, node: Aggregate, seen: _Seen) -> bool:
    above = [seen.exprs[k] for k in node.keys] + list(seen.parts)
    return any(_over_edges(e) and edge.value in columns(e) for e in above)


def _below(node: Aggregate, seen: _Seen, needed: list[str]) -> tuple[Node, str]:
    """Give what is aggregated: keys and arguments, and the time, with the name that the time has there."""
    base = seen.table.input
    time = base.schema[seen.table.window.time_column]
    known = next((n for n in needed if seen.exprs[n] == Column(time.type, time.name)), None)
    name = known or _fresh(f"__{time.name}", needed)
    source = {f.name: f for f in node.input.schema}
    fields = [replace(source[n], time=time.time if n == known else source[n].time) for n in needed]
    exprs = [seen.exprs[n] for n in needed]
    if known is None:
        fields.append(Field(name, time.type, time.time))
        exprs.append(Column(time.type, time.name))
    predicate = joined(p for p in seen.parts if not _over_edges(p))
    schema = Schema(tuple(fields))
    return Calc(schema=schema, input=base, exprs=tuple(exprs), predicate=predicate, location=node.location), name


def _fresh(name: str, taken: list[str]) -> str:
    while name in taken:
        name = f"_{name}"
    return name


def _above(node: Aggregate, seen: _Seen, made: WindowAggregate, edges: dict[WindowProperty, str]) -> Node:
    """Give the aggregate's own columns in their order, with what is computed from the window's edges."""
    by_name: dict[str, Expr] = {p.value: Column(made.schema[n].type, n) for p, n in edges.items()}
    exprs: list[Expr] = []
    for field in node.schema:
        known = seen.exprs.get(field.name) if field.name in node.keys else None
        over_edges = known is not None and _over_edges(known)
        exprs.append(substitute(known, by_name) if known and over_edges else Column(field.type, field.name))
    predicate = joined(substitute(p, by_name) for p in seen.parts if _over_edges(p))
    return Calc(schema=node.schema, input=made, exprs=tuple(exprs), predicate=predicate, location=node.location)
