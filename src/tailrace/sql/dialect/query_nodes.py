"""The syntax tree of queries: SELECT and its clauses, what stands in FROM, and what joins queries."""

from __future__ import annotations

from typing import ClassVar

from tailrace.sql.dialect.expression_nodes import Node


class SelectItem(Node):
    """One column of a SELECT."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "alias": False}


class GroupBy(Node):
    """GROUP BY: expressions, `KeySet`s and `GroupingSets`, all combined with each other; none for `GROUP BY ()`."""

    arg_types: ClassVar[dict[str, bool]] = {"elements": False, "distinct": False}


class KeySet(Node):
    """Several keys in parentheses, or none."""

    arg_types: ClassVar[dict[str, bool]] = {"keys": False}


class GroupingSets(Node):
    """GROUPING SETS, ROLLUP or CUBE (`kind`) of expressions, `KeySet`s and, in GROUPING SETS, further ones."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "elements": True}


class WindowDefinition(Node):
    """One window of WINDOW: `name AS (over)`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "over": True}


class Select(Node):
    """One SELECT."""

    arg_types: ClassVar[dict[str, bool]] = {
        "hints": False,
        "distinct": False,
        "items": True,
        "source": False,
        "where": False,
        "group": False,
        "having": False,
        "windows": False,
        "qualify": False,
    }


class ValuesList(Node):
    """VALUES with rows of expressions."""

    arg_types: ClassVar[dict[str, bool]] = {"rows": True}


class SetOperation(Node):
    """UNION, INTERSECT or EXCEPT (`kind`) of two; `all` keeps rows that are equal."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "all": False, "left": True, "right": True}


class With(Node):
    """One named query of WITH."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "columns": False, "query": True}


class Query(Node):
    """A whole query: WITH, a body, ORDER BY, LIMIT and OFFSET."""

    arg_types: ClassVar[dict[str, bool]] = {
        "ctes": False,
        "body": True,
        "order": False,
        "limit": False,
        "offset": False,
    }


class Hint(Node):
    """One hint of `/*+ ... */`: its name, and options, or names and constants (`arguments`)."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "options": False, "arguments": False}


class HintOption(Node):
    """`'key' = 'value'` in a hint; both are plain text."""

    arg_types: ClassVar[dict[str, bool]] = {"key": True, "value": True}


class TableSource(Node):
    """A table or view in FROM; `system_time` is the expression after FOR SYSTEM_TIME AS OF."""

    arg_types: ClassVar[dict[str, bool]] = {
        "name": True,
        "hints": False,
        "system_time": False,
        "alias": False,
        "columns": False,
    }


class QuerySource(Node):
    """A query in FROM."""

    arg_types: ClassVar[dict[str, bool]] = {"query": True, "alias": False, "columns": False}


class FunctionSource(Node):
    """A table function in FROM, as in TABLE(f(...))."""

    arg_types: ClassVar[dict[str, bool]] = {"function": True, "alias": False, "columns": False}


class LateralSource(Node):
    """LATERAL before a table function or query (`this`), which may use the columns of what stands left of it."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "alias": False, "columns": False}


class UnnestSource(Node):
    """UNNEST of arrays, maps or multisets, one row for each element; `ordinality` adds its number."""

    arg_types: ClassVar[dict[str, bool]] = {"arguments": True, "ordinality": False, "alias": False, "columns": False}


class Join(Node):
    """
    Two sources side by side: INNER, LEFT, RIGHT, FULL or CROSS (`kind`, a comma is CROSS too).

    All but CROSS have a `condition` or the names of `using`, unless they are `natural`: then by all names they share.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "left": True,
        "right": True,
        "kind": True,
        "natural": False,
        "condition": False,
        "using": False,
    }


class TableFunction(Node):
    """A call of a table function: its name (windows in upper case), with what qualifies it, and arguments."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "qualifier": False, "arguments": False}


class NamedArgument(Node):
    """`NAME => value`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "value": True}


class TableArgument(Node):
    """`TABLE t` or a query as an argument, with PARTITION BY and ORDER BY."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "partition": False, "order": False}


class Descriptor(Node):
    """DESCRIPTOR(columns)."""

    arg_types: ClassVar[dict[str, bool]] = {"columns": True}
