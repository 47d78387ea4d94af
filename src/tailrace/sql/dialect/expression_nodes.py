"""
The syntax tree of expressions: one class for each form of Flink's SQL, on sqlglot's `Expression`.

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


class Subquery(Node):
    """A query as a value."""

    arg_types: ClassVar[dict[str, bool]] = {"query": True}


class InQuery(Node):
    """[NOT] IN a query."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "query": True, "negated": False}


class Exists(Node):
    """EXISTS a query."""

    arg_types: ClassVar[dict[str, bool]] = {"query": True}


class Quantified(Node):
    """A comparison (`op`) with SOME (which is also ANY) or ALL of a query or of `values`."""

    arg_types: ClassVar[dict[str, bool]] = {
        "op": True,
        "this": True,
        "quantifier": True,
        "query": False,
        "values": False,
    }


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
    """
    A function by name, with what qualifies it and what may stand around its arguments.

    `nulls` is IGNORE or RESPECT, `order` are the sort keys among the arguments of ARRAY_AGG, `within_group` those of
    WITHIN GROUP, `clauses` are those of JSON functions, and `bare` is a call without parentheses.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "qualifier": False,
        "arguments": False,
        "distinct": False,
        "nulls": False,
        "order": False,
        "within_group": False,
        "filter": False,
        "over": False,
        "clauses": False,
        "bare": False,
    }


class SortKey(Node):
    """One key of ORDER BY; `nulls` is FIRST or LAST where it was written."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "descending": False, "nulls": False}


class Bound(Node):
    """An end of a frame: CURRENT ROW, or PRECEDING or FOLLOWING (`kind`) by `value`; without a value unbounded."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "value": False}


class Frame(Node):
    """ROWS or RANGE (`unit`) from `lower` up to `upper`; the short form ends at the current row."""

    arg_types: ClassVar[dict[str, bool]] = {"unit": True, "lower": True, "upper": True}


class Over(Node):
    """What stands after OVER, or names a window in WINDOW; `window` is the name of the one that it builds on."""

    arg_types: ClassVar[dict[str, bool]] = {"window": False, "partition": False, "order": False, "frame": False}


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
