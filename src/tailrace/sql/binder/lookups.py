"""A temporal join by processing time: rows are looked up in a table when they are needed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tailrace.errors import ConfigError
from tailrace.expressions import catalogue
from tailrace.expressions.lower import is_constant
from tailrace.expressions.nodes import Call, Cast, Column, Expr, columns, substitute
from tailrace.plan.catalog import PhysicalColumn
from tailrace.plan.nodes import AssignWatermark, Calc, LookupJoin, LookupKey, Node, Normalize, Scan, TemporalJoin
from tailrace.plan.rewrite.predicates import conjuncts, joined
from tailrace.schema import Schema


@dataclass(frozen=True, slots=True)
class _Table:
    """The right side as a table: what each of its columns is over those of the table, and which rows it has."""

    scan: Scan
    exprs: dict[str, Expr]
    predicate: Expr | None


def lookup(join: TemporalJoin) -> LookupJoin:
    """
    Give a temporal join by processing time as a lookup.

    Raises:
        ConfigError: the right is no table, or no column of it is compared for equality.
    """
    table = _table(join.right)
    if table is None:
        hint = "look up in a table, or join by row time with a versioned view"
        message = "a join by processing time reads a table; other queries have no rows to look up, as in Flink"
        raise ConfigError(message, hint=hint, location=join.location)
    keys, rest = _keys(join, table)
    if not keys:
        hint = "compare a column of the table in ON: o.k = t.k"
        message = f"a lookup in '{table.scan.table.name}' needs an equality on one of its columns"
        raise ConfigError(message, hint=hint, location=join.location)
    left = join.left.schema
    kept = {f.name: f.time for f in left}
    found = Schema(tuple(replace(f, time=None) for f in join.right.schema))
    made = LookupJoin(
        schema=Schema(tuple(replace(f, time=kept.get(f.name)) for f in join.schema)),
        input=join.left,
        kind=join.kind,
        table=table.scan.table,
        keys=tuple(keys),
        found=found,
        exprs=tuple(table.exprs[f.name] for f in found),
        predicate=table.predicate,
        condition=joined(rest),
        retry=join.retry,
        location=join.location,
    )
    _refuse_metadata(made)
    return made


def _table(node: Node) -> _Table | None:
    match node:
        case Scan():
            return _Table(node, {f.name: Column(f.type, f.name) for f in node.schema}, None)
        case AssignWatermark() | Normalize():
            return _table(node.input)
        case Calc():
            below = _table(node.input)
            if below is None:
                return None
            exprs = {f.name: substitute(e, below.exprs) for f, e in zip(node.schema, node.exprs, strict=True)}
            parts = [substitute(p, below.exprs) for p in conjuncts(node.predicate)]
            return _Table(below.scan, exprs, joined([*conjuncts(below.predicate), *parts]))
    return None


def _keys(join: TemporalJoin, table: _Table) -> tuple[list[LookupKey], list[Expr]]:
    """Give the columns of the table whose values are known, and what else must be true."""
    keys: dict[str, Expr] = {}
    rest = list(conjuncts(join.condition))
    for key in join.keys:
        left = Column(join.left.schema[key.left].type, key.left)
        right = Column(join.right.schema[key.right].type, key.right)
        column = _column(table.exprs[key.right])
        exact = column is not None and column.type.polars == left.type.polars and column.name not in keys
        if column is not None and column.name not in keys and not key.null_safe:
            keys[column.name] = left if exact else catalogue.cast(left, column.type, safe=True, location=join.location)
        if not exact or key.null_safe:
            rest.append(catalogue.call("IS NOT DISTINCT FROM" if key.null_safe else "=", [left, right], join.location))
    for part in list(rest):
        known = _constant(part, table)
        if known is not None and known[0].name not in keys:
            keys[known[0].name] = known[1]
            rest.remove(part)
    return [LookupKey(name, value) for name, value in keys.items()], rest


def _column(expr: Expr) -> Column | None:
    """Give the column of the table that an expression is, or that it makes a value of another type of by itself."""
    if isinstance(expr, Cast) and expr.location is None:
        expr = expr.arg
    return expr if isinstance(expr, Column) else None


def _constant(part: Expr, table: _Table) -> tuple[Column, Expr] | None:
    """Give column and value of `column = constant`."""
    if not isinstance(part, Call) or part.function != "=":
        return None
    for one, other in (part.args, part.args[::-1]):
        column = _column(substitute(one, table.exprs)) if columns(one) <= table.exprs.keys() else None
        if column is not None and is_constant(other) and other.type.polars == column.type.polars == one.type.polars:
            return column, other
    return None


def _refuse_metadata(node: LookupJoin) -> None:
    physical = {c.name for c in node.table.columns if isinstance(c, PhysicalColumn)}
    for field in node.asked:
        if field.name not in physical:
            message = f"the metadata column '{field.name}' can't be looked up"
            raise ConfigError(message, hint="leave it out", location=node.location)
