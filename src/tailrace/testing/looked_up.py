"""Tables that a driven pipeline looks up in: they have the rows that the test pushes."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tailrace.engine.lookups import Answer, Asker, CacheRules
from tailrace.plan import nodes
from tailrace.testing.input_rows import Rows, columns


class LookedUp:
    """The tables of a pipeline's lookup joins, by name; what a table has is found from then on."""

    def __init__(self, plans: Sequence[nodes.Sink]) -> None:
        found = [node for plan in plans for node in nodes.walk(plan) if isinstance(node, nodes.LookupJoin)]
        self._tables = {node.table.name: node.table for node in found}
        self._rows = {name: table.schema.empty() for name, table in self._tables.items()}

    @property
    def names(self) -> list[str]:
        """The names of the tables."""
        return list(self._tables)

    def push(self, name: str, rows: Rows) -> None:
        """
        Add rows to a table; one with a primary key has the last row of each key.

        Raises:
            ConfigError: it has no such column, or a value does not fit.
        """
        table = self._tables[name]
        held = pl.concat([self._rows[name], columns(rows, table, table.schema)])
        key = list(table.primary_key)
        self._rows[name] = held.unique(key, keep="last", maintain_order=True) if key else held

    def asker(self, node: nodes.LookupJoin) -> Asker:
        """Make the asker of a join."""
        return _Pushed(self._rows, node)


class _Pushed(Asker):
    """Asks the rows that were pushed; keeps nothing, so that each batch meets what is there then."""

    rules = CacheRules()

    def __init__(self, rows: dict[str, pl.DataFrame], node: nodes.LookupJoin) -> None:
        self._rows = rows
        self._name = node.table.name
        self._asked = list(node.asked.names)

    def get(self, keys: pl.DataFrame) -> Answer:
        return Answer(self._rows[self._name].select(self._asked).join(keys, on=keys.columns, how="semi"))

    def table(self) -> pl.DataFrame | None:
        return None
