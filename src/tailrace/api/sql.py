"""SQL over tables of the Python API."""

from __future__ import annotations

from tailrace.api import given, queries
from tailrace.api.definitions import Definitions
from tailrace.api.places import place
from tailrace.api.table import Table
from tailrace.api.trees import everywhere, name, placed
from tailrace.errors import ConfigError
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import parse
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.source import Source


def sql(text: str, **tables: Table) -> Table:
    """
    Give the table that a query computes, over tables by the names that it knows them by.

    Raises:
        ConfigError: it is no query, or wrong; points at its place in the text.

    >>> import polars as pl
    >>> import tailrace as tr
    >>> t = tr.from_polars(pl.DataFrame({"v": [1, 2, 3]}), name="rows")
    >>> tr.sql("SELECT SUM(v) AS total FROM big", big=t.filter(tr.col("v") > 1)).collect().item()
    5
    """
    given.check_tables(tables.values())
    source = Source(text, f"{place().file}, in sql(...)")
    statements = parse(source)
    if len(statements) != 1 or not isinstance(statements[0], n.Query):
        raise ConfigError("sql() takes one query", hint="write SELECT ...", location=place().location())
    query = statements[0]
    for node in query.walk():
        node.meta.setdefault("source", source)
    definitions = Definitions()
    for known, table in tables.items():
        definitions = definitions.joined(_named(known, table))
    return Table(query, definitions)


def _named(known: str, table: Table) -> Definitions:
    """Give what defines a table under a name: its own definition if it has that name, else a view."""
    source = queries.plain_source(table.tree)
    if isinstance(source, n.TableSource) and source.args["name"].texts == (known,):
        return table.definitions
    view = placed(s.CreateView(name=name(known), temporary=False, exists=False, query=table.tree.copy()))
    return table.definitions.with_one(known, everywhere(view, place()))
