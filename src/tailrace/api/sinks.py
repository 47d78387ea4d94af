"""Where the rows of a table go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tailrace.api.create import create_table
from tailrace.api.definitions import Definitions
from tailrace.api.pipelines import Pipeline
from tailrace.schema import Schema
from tailrace.sql.dialect import nodes as n

_NAMING = ("topic", "table-name", "path")
"""The options that a table takes its name from, if it was given none."""


def written(
    definitions: Definitions,
    query: n.Query,
    schema: Schema,
    connector: str,
    options: Mapping[str, str],
    name: str,
    primary_key: str | Sequence[str],
) -> Pipeline:
    """
    Give the pipeline that writes the rows of a query through a connector.

    Raises:
        ConfigError: an option is wrong, or the connector can't take such rows.
    """
    table = name or _free(next((options[k] for k in _NAMING if k in options), connector), definitions)
    columns = {f.name: str(f.type) for f in schema}
    tree = create_table(table, connector, columns, None, primary_key, options)
    return Pipeline.of(definitions.with_one(table, tree), table, query)


def _free(name: str, definitions: Definitions) -> str:
    """Give a name that no other table has."""
    found, number = name, 1
    while found in definitions.by_name:
        number += 1
        found = f"{name}_{number}"
    return found
