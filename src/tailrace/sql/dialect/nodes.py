"""
The syntax tree: one class for each form of Flink's SQL, on sqlglot's `Expression`.

Two trees are equal if they mean the same; where something was written is in `span` and does not count.
Names and texts are kept as they mean, without quotes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp


class Node(exp.Expression):
    """The base of all nodes; `arg_types` says what each has (True: always)."""

    _hash_raw_args: ClassVar[bool] = True

    @property
    def span(self) -> tuple[int, int]:
        """Where it stands in the text: from, and up to."""
        found: tuple[int, int] = self.meta.get("span", (0, 0))
        return found


def get(node: exp.Expr, key: str) -> Any:
    """Give a part of a node; None if it was not written."""
    return node.args.get(key)


class Identifier(Node):
    """One part of a name."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Name(Node):
    """A name with dots: a column, table, or field in one."""

    arg_types: ClassVar[dict[str, bool]] = {"parts": True}

    @property
    def texts(self) -> tuple[str, ...]:
        """The parts as plain text."""
        return tuple(p.this for p in self.args["parts"])


class Star(Node):
    """`*` or `t.*`."""

    arg_types: ClassVar[dict[str, bool]] = {"qualifier": False}


class Text(Node):
    """A string literal."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Number(Node):
    """A numeric literal, as written."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Hex(Node):
    """A binary literal: its hexadecimal digits."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Constant(Node):
    """TRUE, FALSE, NULL or UNKNOWN."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Temporal(Node):
    """DATE, TIME or TIMESTAMP (`kind`) with its text."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "this": True}


class Interval(Node):
    """INTERVAL with its text, unit and, for a range, last unit; `negative` with a minus before the text."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "unit": True, "to": False, "negative": False}


class Symbol(Node):
    """A keyword as an argument: the unit of EXTRACT, LEADING of TRIM."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Unary(Node):
    """NOT, + or - before an operand."""

    arg_types: ClassVar[dict[str, bool]] = {"op": True, "this": True}


class Binary(Node):
    """Two operands and what stands between them."""

    arg_types: ClassVar[dict[str, bool]] = {"op": True, "left": True, "right": True}


class Is(Node):
    """IS [NOT] NULL, TRUE, FALSE, UNKNOWN, JSON ..., or DISTINCT FROM `other`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "what": True, "negated": False, "other": False}


class Between(Node):
    """[NOT] BETWEEN [SYMMETRIC] low AND high."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "low": True,
        "high": True,
        "symmetric": False,
        "negated": False,
    }


class In(Node):
    """[NOT] IN a list."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "values": True, "negated": False}


class Like(Node):
    """[NOT] LIKE or SIMILAR TO (`op`), with an escape."""

    arg_types: ClassVar[dict[str, bool]] = {
        "op": True,
        "this": True,
        "pattern": True,
        "escape": False,
        "negated": False,
    }


class When(Node):
    """One branch of CASE."""

    arg_types: ClassVar[dict[str, bool]] = {"condition": True, "value": True}


class Case(Node):
    """CASE with branches; `operand` for the short form."""

    arg_types: ClassVar[dict[str, bool]] = {"operand": False, "whens": True, "default": False}


class Cast(Node):
    """CAST or, with `safe`, TRY_CAST."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "type": True, "safe": False}


class Clause(Node):
    """Words in a call after its arguments, as RETURNING or NULL ON EMPTY; `value` is the type or default."""

    arg_types: ClassVar[dict[str, bool]] = {"words": True, "value": False}


class Call(Node):
    """A function by name; DISTINCT, FILTER and further clauses where the function has them."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "arguments": False,
        "distinct": False,
        "filter": False,
        "clauses": False,
        "bare": False,
    }


class Constructor(Node):
    """ROW(...), ARRAY[...] or MAP[...] (`kind`)."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "arguments": False}


class Item(Node):
    """An element: `x[i]`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "index": True}


class Access(Node):
    """A field of what is not a plain name: `f(x).a`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "field": True}


class TypeField(Node):
    """A field of ROW<>."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "type": True, "comment": False}


class Type(Node):
    """A data type by its Flink name, its numbers, its inner types, and NOT NULL."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "numbers": False,
        "children": False,
        "fields": False,
        "not_null": False,
    }


class SelectItem(Node):
    """One column of a SELECT."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "alias": False}


class Select(Node):
    """One SELECT."""

    arg_types: ClassVar[dict[str, bool]] = {
        "distinct": False,
        "items": True,
        "source": False,
        "where": False,
        "group": False,
        "having": False,
    }


class ValuesList(Node):
    """VALUES with rows of expressions."""

    arg_types: ClassVar[dict[str, bool]] = {"rows": True}


class Union(Node):
    """UNION ALL of two."""

    arg_types: ClassVar[dict[str, bool]] = {"left": True, "right": True}


class With(Node):
    """One named query of WITH."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "columns": False, "query": True}


class Query(Node):
    """A whole query: WITH, a body, LIMIT and OFFSET."""

    arg_types: ClassVar[dict[str, bool]] = {"ctes": False, "body": True, "limit": False, "offset": False}


class TableSource(Node):
    """A table or view in FROM."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "alias": False, "columns": False}


class QuerySource(Node):
    """A query in FROM."""

    arg_types: ClassVar[dict[str, bool]] = {"query": True, "alias": False, "columns": False}


class FunctionSource(Node):
    """TABLE(function(...)) in FROM."""

    arg_types: ClassVar[dict[str, bool]] = {"function": True, "alias": False, "columns": False}


class TableFunction(Node):
    """A call of a table function."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "arguments": True}


class NamedArgument(Node):
    """`NAME => value`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "value": True}


class TableArgument(Node):
    """`TABLE t` or a query as an argument."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Descriptor(Node):
    """DESCRIPTOR(columns)."""

    arg_types: ClassVar[dict[str, bool]] = {"columns": True}
