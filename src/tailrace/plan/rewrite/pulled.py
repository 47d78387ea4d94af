"""What is left of a plan when the columns of the query around it have been taken out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Call, Column, Expr, Outer, columns, outers, transform
from tailrace.plan.nodes import Calc, Join, JoinKind, Node, OuterRows, walk
from tailrace.plan.rewrite.predicates import conjuncts, joined
from tailrace.plan.times import time_of
from tailrace.schema import Field, Schema

_EQUAL = ("=", "IS NOT DISTINCT FROM")


@dataclass(frozen=True, slots=True)
class Pulled:
    """
    A plan without columns of the query around, and what was taken out of it.

    For a row of the query around, the original has those rows of `plan` for which all `conditions` are true; `outputs` are its
    columns, over those of the plan and of the query around. With `single` it has one row too where the plan has none, whose
    columns are NULL then; and it has only the rows for which `passes` is true.
    """

    plan: Node
    outputs: dict[str, Expr]
    conditions: tuple[Expr, ...] = ()
    single: bool = False
    passes: Expr | None = None

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns that settled conditions compare with the query around."""
        return tuple(dict.fromkeys(name for c in self.conditions for name in sorted(columns(c))))

    @staticmethod
    def of(plan: Node) -> Pulled:
        """Give a plan of which nothing had to be taken."""
        return Pulled(plan, {f.name: Column(f.type, f.name) for f in plan.schema})


@dataclass(slots=True)
class Names:
    """Gives names that no column of a plan has."""

    taken: set[str]
    _count: int = field(default=0)

    @staticmethod
    def apart(plan: Node) -> Names:
        """Give names that nothing in a plan has."""
        return Names({name for node in walk(plan) for name in node.schema.names})

    def fresh(self) -> str:
        """Give one more."""
        while (name := f"__c{self._count}") in self.taken:
            self._count += 1
        self.taken.add(name)
        return name


def is_correlated(plan: Node, scope: int) -> bool:
    """Tell whether a plan reads columns of the query around it."""
    return any(outers(e, scope) for node in walk(plan) for e in _expressions(node))


def _expressions(node: Node) -> Iterator[Expr]:
    for part in fields(node):
        value = getattr(node, part.name)
        yield from (e for e in (value if isinstance(value, tuple) else (value,)) if isinstance(e, Expr))


def inside(expr: Expr, by_outer: dict[Outer, Expr]) -> Expr:
    """Give an expression with columns of the query around replaced."""
    return transform(expr, lambda e: by_outer.get(e, e) if isinstance(e, Outer) else e)


def settled(pulled: Pulled, scope: int, names: Names) -> Pulled:
    """
    Give the same with plain columns as outputs, and with no conditions but equalities of a column with what is outside.

    Conditions that are about the query around alone stay. What can't be brought into this form is computed for the different
    rows of the query around, which are joined to the plan.
    """
    if not pulled.single:
        pulled = _derived(pulled, scope)
        read = [*pulled.outputs.values(), *(c for c in pulled.conditions if columns(c) and as_key(c, scope) is None)]
        if not any(outers(e, scope) for e in read):
            return computed(pulled, scope, names)
    return computed(with_rows(pulled, scope, names)[0], scope, names)


def as_key(condition: Expr, scope: int) -> tuple[str, Expr, Expr] | None:
    """Take an equality apart: its function, what it compares of the plan, and with what of the query around."""
    if not isinstance(condition, Call) or condition.function not in _EQUAL:
        return None
    for own, other in (condition.args, condition.args[::-1]):
        if columns(own) and not outers(own, scope) and not columns(other) and outers(other, scope):
            return condition.function, own, other
    return None


def equal_outside(pulled: Pulled, scope: int) -> dict[Outer, Expr]:
    """Give the columns of the query around to which something in the plan is always equal."""
    keys = [k for c in pulled.conditions if (k := as_key(c, scope)) is not None]
    return {
        k[2]: k[1] for k in keys if k[0] == "=" and isinstance(k[2], Outer) and k[1].type.polars == k[2].type.polars
    }


def _derived(pulled: Pulled, scope: int) -> Pulled:
    """Read what is equal to a column of the query around instead of it."""
    known = equal_outside(pulled, scope)
    conditions = tuple(c if as_key(c, scope) is not None else inside(c, known) for c in pulled.conditions)
    return replace(pulled, outputs={n: inside(e, known) for n, e in pulled.outputs.items()}, conditions=conditions)


def computed(pulled: Pulled, scope: int, names: Names) -> Pulled:
    """Compute the outputs and what the conditions compare, and filter by conditions that are about the plan alone."""
    exprs, conditions = dict(pulled.outputs), []
    local: list[Expr] = []
    for condition in pulled.conditions:
        key = as_key(condition, scope)
        if key is not None:
            function, own, other = key
            name = next((n for n, e in exprs.items() if e == own), None) or names.fresh()
            exprs[name] = own
            conditions.append(catalogue.call(function, [Column(own.type, name), other]))
            if function == "=" and own.type.nullable:
                local.append(catalogue.call("IS NOT NULL", [own]))
        else:
            (local if columns(condition) else conditions).append(condition)
    made = projected(pulled.plan, exprs, joined(local))
    return Pulled(made, {n: Column(e.type, n) for n, e in pulled.outputs.items()}, tuple(conditions))


def exposed(pulled: Pulled, names: Names) -> Pulled:
    """Give the outputs, which read nothing outside, as columns of their names, and what the conditions read as new ones."""
    read = sorted({name for c in pulled.conditions for name in columns(c)})
    renamed = {name: Column(pulled.plan.schema[name].type, names.fresh()) for name in read}
    exprs = dict(pulled.outputs) | {c.name: Column(c.type, name) for name, c in renamed.items()}
    conditions = tuple(
        transform(c, lambda e: renamed[e.name] if isinstance(e, Column) else e) for c in pulled.conditions
    )
    made = projected(pulled.plan, exprs, None)
    return Pulled(made, {n: Column(e.type, n) for n, e in pulled.outputs.items()}, conditions)


def projected(plan: Node, exprs: dict[str, Expr], predicate: Expr | None) -> Calc:
    """Compute columns of a plan."""
    schema = Schema(tuple(Field(n, e.type, time_of(e, plan.schema)) for n, e in exprs.items()))
    made = tuple(exprs.values())
    return Calc(schema=schema, input=plan, exprs=made, predicate=predicate, location=plan.location)


def with_rows(
    pulled: Pulled, scope: int, names: Names, also: frozenset[Outer] = frozenset()
) -> tuple[Pulled, dict[Outer, Expr]]:
    """
    Join the different rows of the query around; give the result, and the columns that hold those of the query around.

    `also` are columns of the query around that are needed besides those that it reads itself.
    """
    bound = [c for c in pulled.conditions if pulled.single or columns(c)]
    passes = conjuncts(pulled.passes)
    needed = {o for e in (*bound, *passes, *pulled.outputs.values()) for o in outers(e, scope)} | also
    own = {o: Column(o.type, names.fresh()) for o in sorted(needed, key=lambda o: o.name)}
    by_outer: dict[Outer, Expr] = dict(own)
    rows = OuterRows(
        schema=Schema(tuple(Field(c.name, c.type) for c in own.values())),
        scope=scope,
        names=tuple(o.name for o in own),
        location=pulled.plan.location,
    )
    kind = JoinKind.LEFT if pulled.single else JoinKind.INNER
    plan = side_by_side(rows, pulled.plan, kind, joined(inside(c, by_outer) for c in bound))
    free = [c for c in pulled.conditions if c not in bound]
    outside = [catalogue.call("IS NOT DISTINCT FROM" if o.type.nullable else "=", [c, o]) for o, c in own.items()]
    outputs = {n: inside(e, by_outer) for n, e in pulled.outputs.items()}
    conditions = (*outside, *free, *(inside(c, by_outer) for c in passes))
    return Pulled(plan, outputs, conditions), by_outer


def side_by_side(left: Node, right: Node, kind: JoinKind, condition: Expr | None, *, times: bool = False) -> Join:
    """Join two plans whose columns have different names; time attributes stay what they are with `times` only."""
    both = list(left.schema)
    if not kind.left_only:
        both += [replace(f, type=f.type.with_nullable(f.type.nullable or kind.keeps_left)) for f in right.schema]
    made = tuple(f if times else replace(f, time=None) for f in both)
    return Join(schema=Schema(made), left=left, right=right, kind=kind, condition=condition, location=right.location)
