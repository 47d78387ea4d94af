"""A query with all that it needs, as a script in SQL."""

from __future__ import annotations

from collections.abc import Iterable

from tailrace.api import trees
from tailrace.api.definitions import Definitions
from tailrace.api.trees import placed
from tailrace.sql.binder.functions import meant
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.flink import generate


def script(definitions: Definitions, statement: n.Node) -> str:
    """Give the definitions of functions, tables and views, and then a statement, as text."""
    nodes = [*definitions.by_name.values(), statement]
    return "".join(f"{generate(node)};\n\n" for node in (*_functions(nodes), *nodes))


def _functions(nodes: Iterable[n.Node]) -> Iterable[s.CreateFunction]:
    """Give a CREATE FUNCTION for each function of the user, by the module that it is in."""
    calls = (call for node in nodes for call in node.find_all(n.Call, n.TableFunction))
    known = {found.name: found.declaration for call in calls if (found := meant(call)) is not None}
    for name, declaration in known.items():
        code = f"{declaration.target.__module__}:{declaration.__name__}"
        yield placed(
            s.CreateFunction(
                name=trees.name(name), code=trees.literal(code), language="PYTHON", temporary=True, system=False
            )
        )
