"""What names mean: the columns of what a query reads from."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError, did_you_mean
from tailrace.expressions.nodes import Column
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import Field, Schema
from tailrace.sql.binder.places import at
from tailrace.sql.dialect.nodes import Name
from tailrace.sql.source import Source


@dataclass(frozen=True, slots=True)
class Relation:
    """What stands in FROM: a plan and the name that qualifies its columns."""

    plan: Plan
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns that a name may mean."""

    schema: Schema
    alias: str = ""

    def resolve(self, name: Name, source: Source) -> tuple[Column, tuple[str, ...]]:
        """
        Give the column that a name begins with, and the names of the fields in it that follow.

        Raises:
            ConfigError: there is no such column.
        """
        texts = name.texts
        qualified = len(texts) > 1 and texts[0] == self.alias
        # a column may have the name of its table: then the table counts if it has such a column
        if qualified and (texts[0] not in self.schema or texts[1] in self.schema):
            texts = texts[1:]
        if texts[0] in self.schema:
            return self.column(texts[0]), texts[1:]
        raise self._unknown(name, texts[0], source)

    def column(self, name: str) -> Column:
        """Give a column that is there."""
        return Column(self.schema[name].type, name)

    def field(self, name: str) -> Field:
        """Give a column's field, with its time attribute."""
        return self.schema[name]

    def _unknown(self, name: Name, text: str, source: Source) -> ConfigError:
        known = self.schema.names
        part = name.args["parts"][name.texts.index(text)]
        hint = did_you_mean(text, known) or ("columns: " + ", ".join(known) if known else "there are no columns here")
        where = f" in '{self.alias}'" if self.alias else ""
        return ConfigError(f"there is no column '{text}'{where}", hint=hint, location=at(part, source))
