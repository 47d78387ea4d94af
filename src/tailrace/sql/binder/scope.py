"""What names mean: the columns of what a query reads from."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tailrace.errors import ConfigError, did_you_mean
from tailrace.expressions.nodes import Column
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import Field, Schema
from tailrace.sql.binder.places import at
from tailrace.sql.dialect.nodes import Name, Node
from tailrace.sql.source import Source


@dataclass(frozen=True, slots=True)
class Member:
    """
    One of what stands in FROM: the name that qualifies its columns, and how the plan calls each of them.

    `hidden` are those that mean the common column of a JOIN USING unless they are qualified; those of a `natural` join
    must be qualified, as in Flink.
    """

    alias: str
    columns: dict[str, str]
    hidden: AbstractSet[str] = frozenset()
    repeated: AbstractSet[str] = frozenset()
    """Names that the query in FROM gives to several of its columns: they can't be told apart."""
    natural: bool = False

    @property
    def visible(self) -> dict[str, str]:
        """The columns that need no qualifier."""
        return {name: c for name, c in self.columns.items() if name not in self.hidden}


@dataclass(frozen=True, slots=True)
class Relation:
    """What stands in FROM: a plan, and whose its columns are."""

    plan: Plan
    members: tuple[Member, ...]

    @staticmethod
    def of(plan: Plan, alias: str = "", repeated: AbstractSet[str] = frozenset()) -> Relation:
        """Give a relation of one member, which has all columns of the plan."""
        return Relation(plan, (Member(alias, {n: n for n in plan.schema.names}, repeated=repeated),))


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns that a name may mean; `schema` is that of the plan."""

    schema: Schema
    members: tuple[Member, ...] = ()

    @staticmethod
    def of(schema: Schema) -> Scope:
        """Give a scope in which columns are called as in the schema."""
        return Scope(schema, (Member("", {n: n for n in schema.names}),))

    def resolve(self, name: Name, source: Source) -> tuple[Column, tuple[str, ...]]:
        """
        Give the column that a name begins with, and the names of the fields in it that follow.

        Raises:
            ConfigError: there is no such column, or it may be one of several.
        """
        texts = name.texts
        # a column may have the name of its table: then the table counts if it has such a column
        for member in self.members:
            if len(texts) > 1 and texts[0] == member.alias and texts[1] in member.columns:
                self.refuse_repeated(member, {texts[1]} & member.repeated, name, source)
                return self.column(member.columns[texts[1]]), texts[2:]
        found = [m for m in self.members if texts[0] in m.visible]
        if len(found) > 1 or (found and found[0].natural):
            raise self._ambiguous(name, [m for m in self.members if texts[0] in m.columns], source)
        if found:
            self.refuse_repeated(found[0], {texts[0]} & found[0].repeated, name, source)
            return self.column(found[0].columns[texts[0]]), texts[1:]
        raise self._unknown(name, source)

    @staticmethod
    def refuse_repeated(member: Member, names: AbstractSet[str], node: Node, source: Source) -> None:
        """
        Make sure that names of a member mean one column each.

        Raises:
            ConfigError: one is that of several columns of the query in FROM.
        """
        for name in sorted(names):
            of = f" of '{member.alias}'" if member.alias else ""
            hint = "give one of them another name in that query, with AS"
            raise ConfigError(f"the column '{name}'{of} may be one of two", hint=hint, location=at(node, source))

    def knows(self, name: Name) -> bool:
        """Tell whether a name begins with a column, or with what qualifies columns, of this scope."""
        first = name.texts[0]
        qualified = len(name.texts) > 1 and any(m.alias == first for m in self.members)
        return qualified or any(first in m.visible for m in self.members)

    def column(self, name: str) -> Column:
        """Give a column of the plan by its name there."""
        return Column(self.schema[name].type, name)

    def field(self, name: str) -> Field:
        """Give the field of a column of the plan, with its time attribute."""
        return self.schema[name]

    def _ambiguous(self, name: Name, found: list[Member], source: Source) -> ConfigError:
        text = name.texts[0]
        hint = "write " + " or ".join(f"{m.alias}.{text}" for m in found if m.alias)
        return ConfigError(f"the column '{text}' may be one of several", hint=hint, location=at(name, source))

    def _unknown(self, name: Name, source: Source) -> ConfigError:
        member = next((m for m in self.members if len(name.texts) > 1 and m.alias == name.texts[0]), None)
        members = self.members if member is None else (member,)
        text = name.texts[0] if member is None else name.texts[1]
        known = list(dict.fromkeys(column for m in members for column in m.columns))
        tables = [m.alias for m in members if m.alias] if member is None and len(name.texts) > 1 else []
        part = name.args["parts"][0 if member is None else 1]
        hint = did_you_mean(text, [*tables, *known]) or (
            "columns: " + ", ".join(known) if known else "there are no columns here"
        )
        where = f" in '{members[0].alias}'" if len(members) == 1 and members[0].alias and not tables else ""
        what = "table or column" if tables else "column"
        return ConfigError(f"there is no {what} '{text}'{where}", hint=hint, location=at(part, source))
