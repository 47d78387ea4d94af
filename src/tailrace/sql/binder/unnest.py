"""UNNEST: the rows of a relation with the elements of a collection in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Column, Expr, Literal, columns
from tailrace.plan.nodes import Unnest
from tailrace.plan.rewrite.predicates import filtered
from tailrace.schema import INT, DataType, Field, Kind, Schema
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.places import at
from tailrace.sql.binder.projection import Output, calc, unique
from tailrace.sql.binder.scope import Member, Relation, Scope
from tailrace.sql.binder.written_names import given_names
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

_COLLECTION = "__unnest"


@dataclass(frozen=True, slots=True)
class UnnestBinder:
    """Binds UNNEST beside the relation that stands left of it, whose columns it may use."""

    node: n.Node
    left: Relation
    source: Source
    word: ClassVar[str] = "UNNEST(...)"

    def bind(self, join: n.Join | None = None) -> Relation:
        """
        Give the relation with the elements; `join` tells what becomes of rows without any.

        Raises:
            ConfigError: it is not one collection, or the join is not one that Flink has for it.
        """
        outer = self._outer(join)
        collection = self._collection()
        fields = self._fields(collection.type)
        made = self._unnest(collection, fields, outer=outer)
        names = [*self._names(fields), *(["ORDINALITY"] if made.ordinality else [])]
        member = Member(self._alias, dict(zip(self._renamed(names), made.added, strict=True)))
        relation = Relation(made, (*self.left.members, member))
        condition = n.get(join, "condition") if join is not None else None
        return self._filtered(relation, condition, made) if condition is not None else relation

    @property
    def _alias(self) -> str:
        alias = n.get(self.node, "alias")
        return str(alias.this) if alias is not None else ""

    def _outer(self, join: n.Join | None) -> bool:
        kind = str(join.args["kind"]) if join is not None else "CROSS"
        if join is not None and (kind in ("RIGHT", "FULL") or n.get(join, "using") or n.get(join, "natural")):
            hint = f"write CROSS JOIN {self.word}, or LEFT JOIN {self.word} ON TRUE"
            what = f"{kind} JOIN" if kind in ("RIGHT", "FULL") else "JOIN by common names"
            message = f"{what} can't have {self.word.removesuffix('(...)')} on its right"
            raise ConfigError(message, hint=hint, location=at(join, self.source))
        return kind == "LEFT"

    def _collection(self) -> Expr:
        arguments = self.node.args["arguments"]
        if len(arguments) != 1:
            hint = "write one CROSS JOIN UNNEST(...) for each"
            raise ConfigError("UNNEST takes one collection", hint=hint, location=at(self.node, self.source))
        scope = Scope(self.left.plan.schema, self.left.members)
        found = ExpressionBinder(scope, self.source).bind(arguments[0])
        if found.type.kind not in (Kind.ARRAY, Kind.MAP, Kind.MULTISET):
            message = f"UNNEST takes an ARRAY, MAP or MULTISET, not {found.type.sql()}"
            raise ConfigError(message, location=at(arguments[0], self.source))
        return found

    @staticmethod
    def _fields(collection: DataType) -> tuple[Field, ...]:
        """Give the columns of the elements, as Flink calls them."""
        if collection.kind is Kind.MAP:
            return tuple(Field(name, t) for name, t in zip(("KEY", "VALUE"), collection.children, strict=True))
        (element,) = collection.children
        if element.kind is Kind.ROW:
            return tuple(Field(name, t) for name, t in zip(element.names, element.children, strict=True))
        return (Field("", element),)

    def _names(self, fields: tuple[Field, ...]) -> list[str]:
        return [f.name or self._alias or "EXPR$0" for f in fields]

    def _renamed(self, names: list[str]) -> list[str]:
        """Give the names behind the alias instead, if there are any."""
        given = given_names(n.get(self.node, "columns") or [], self.source)
        if given and len(given) != len(names):
            message = f"{len(given)} names are given for {len(names)} columns: {', '.join(names)}"
            raise ConfigError(message, location=at(self.node, self.source))
        return given or names

    def _unnest(self, collection: Expr, fields: tuple[Field, ...], *, outer: bool) -> Unnest:
        plan = self.left.plan
        if not isinstance(collection, Column):
            own = [Output(f.name, Column(f.type, f.name)) for f in plan.schema]
            (name,) = unique([*plan.schema.names, _COLLECTION])[-1:]
            plan = calc(plan, [*own, Output(name, collection)], None, at(self.node, self.source))
            collection = Column(collection.type, name)
        numbered = (Field("ORDINALITY", INT.with_nullable(False)),) if n.get(self.node, "ordinality") else ()
        given = (*fields, *numbered)
        kept = self.left.plan.schema.fields
        names = unique([*plan.schema.names, *(f.name or "EXPR$0" for f in given)])[len(plan.schema) :]
        added = [
            Field(name, f.type.with_nullable(f.type.nullable or outer)) for name, f in zip(names, given, strict=True)
        ]
        return Unnest(
            schema=Schema((*kept, *added)),
            input=plan,
            collection=collection.name,
            elements=tuple(names[: len(fields)]),
            ordinality=names[-1] if numbered else None,
            outer=outer,
            location=at(self.node, self.source),
        )

    def _filtered(self, relation: Relation, condition: n.Node, made: Unnest) -> Relation:
        binder = ExpressionBinder(Scope(relation.plan.schema, relation.members), self.source)
        found = binder.condition(condition, "ON")
        if isinstance(found, Literal) and found.value is True:
            return relation
        if not columns(found) <= set(made.added):
            hint = "compare the left's columns in WHERE, or in a query around the left"
            message = "the condition of JOIN UNNEST can use the elements only"
            raise ConfigError(message, hint=hint, location=at(condition, self.source))
        if not made.outer:
            return Relation(filtered(relation.plan, found), relation.members)
        return Relation(replace(made, condition=found), relation.members)
