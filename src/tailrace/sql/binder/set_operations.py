"""UNION, INTERSECT and EXCEPT of two queries, with ALL and without."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError, Location
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import AggregateCall, Column, Expr, Literal
from tailrace.plan.nodes import Aggregate, Calc, Join, JoinKey, JoinKind, Repeat, Union
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import BIGINT, Field, Schema
from tailrace.sql.binder.aggregates import distinct
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc, renamed, unique
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

_ONE, _NONE = Literal(BIGINT, 1), Literal(BIGINT, 0)


@dataclass(frozen=True, slots=True)
class SetBinder:
    """Binds one set operation; both sides are bound."""

    node: n.SetOperation
    left: Plan
    right: Plan
    source: Source

    def bind(self) -> Plan:
        """
        Give the plan, with the names of the left.

        Raises:
            ConfigError: the columns of both sides do not go together.
        """
        left, right = self._sides()
        kind, keeps = str(self.node.args["kind"]), bool(n.get(self.node, "all"))
        if kind == "UNION":
            made = self._union([left, right])
            return made if keeps else distinct(made, self.node, self.source)
        if keeps:
            return self._counted([left, right], kind)
        return self._met(left, right, JoinKind.SEMI if kind == "INTERSECT" else JoinKind.ANTI)

    @property
    def _place(self) -> Location:
        return at(self.node, self.source)

    def _sides(self) -> tuple[Plan, Plan]:
        """Give both sides with the same names and types."""
        schema = self._schema()
        left, right = (self._as(p, schema) for p in (self.left, self.right))
        return left, right

    def _schema(self) -> Schema:
        left, right = self.left.schema, self.right.schema
        word = f"{self.node.args['kind']}{' ALL' if n.get(self.node, 'all') else ''}"
        if len(left) != len(right):
            message = f"{word} needs the same number of columns on both sides, not {len(left)} and {len(right)}"
            raise ConfigError(message, location=self._place)
        fields = []
        for a, b in zip(left, right, strict=True):
            common = catalogue.common_type([a.type, b.type])
            if common is None:
                message = (
                    f"the column '{a.name}' is {a.type.sql()} on one side of {word} and {b.type.sql()} on the other"
                )
                raise ConfigError(message, hint="CAST one of them", location=self._place)
            nullable = a.type.nullable or b.type.nullable
            fields.append(Field(a.name, common.with_nullable(nullable), a.time if a.time is b.time else None))
        return Schema(tuple(fields))

    def _as(self, plan: Plan, schema: Schema) -> Plan:
        outputs = []
        for own, common in zip(plan.schema, schema, strict=True):
            column: Expr = Column(own.type, own.name)
            if not own.type.same_as(common.type):
                column = catalogue.cast(column, common.type, safe=False, location=self._place)
            outputs.append(Output(common.name, column))
        made = calc(plan, outputs, None, self._place)
        if made.schema == schema:
            return made
        # what is left differs in nullability and time attributes only
        exprs = tuple(Column(f.type, f.name) for f in made.schema)
        return Calc(schema=schema, input=made, exprs=exprs, location=made.location)

    def _union(self, sides: list[Plan]) -> Union:
        """Give all rows; the members of a union below are members of this one."""
        flat = [x for s in sides for x in (s.members if isinstance(s, Union) else (s,))]
        return Union(schema=sides[0].schema, members=tuple(flat), location=self._place)

    def _met(self, left: Plan, right: Plan, kind: JoinKind) -> Plan:
        """Give the different rows of the left that are, or are not, on the right."""
        names = unique([*left.schema.names, *right.schema.names])[len(left.schema) :]
        right = renamed(right, names, self._place)
        keys = tuple(JoinKey(a, b, null_safe=True) for a, b in zip(left.schema.names, names, strict=True))
        made = Join(schema=left.schema, left=left, right=right, kind=kind, keys=keys, location=self._place)
        return distinct(made, self.node, self.source)

    def _counted(self, sides: list[Plan], kind: str) -> Plan:
        """Give each row as often as it is on both sides, or more often on the left than on the right."""
        schema = sides[0].schema
        marks = unique([*schema.names, "__left", "__right"])[len(schema) :]
        marked = [self._marked(s, marks, i) for i, s in enumerate(sides)]
        counts = tuple(AggregateCall("SUM", BIGINT, m, BIGINT, location=self._place) for m in marks)
        union = self._union(marked)
        grouped = Aggregate(
            schema=union.schema, input=union, keys=schema.names, aggregates=counts, location=self._place
        )
        often = self._often(Column(BIGINT, marks[0]), Column(BIGINT, marks[1]), kind)
        own = [Output(f.name, Column(f.type, f.name)) for f in schema]
        above = catalogue.call(">", [often, _NONE], self._place)
        counted = calc(grouped, [*own, Output(marks[0], often)], above, self._place)
        plain = Schema(counted.schema.fields[: len(schema)])
        return Repeat(schema=plain, input=counted, count=marks[0], location=self._place)

    def _marked(self, plan: Plan, marks: list[str], side: int) -> Plan:
        own = [Output(f.name, Column(f.type, f.name)) for f in plan.schema]
        more = [Output(name, _ONE if i == side else _NONE) for i, name in enumerate(marks)]
        made = calc(plan, [*own, *more], None, self._place)
        plain = tuple(Field(f.name, f.type) for f in made.schema)
        exprs = tuple(Column(f.type, f.name) for f in made.schema)
        return Calc(schema=Schema(plain), input=made, exprs=exprs, location=self._place)

    def _often(self, left: Column, right: Column, kind: str) -> Expr:
        if kind == "EXCEPT":
            return catalogue.call("-", [left, right], self._place)
        less = catalogue.call("<", [left, right], self._place)
        return catalogue.call("CASE", [less, left, right], self._place)
