"""
What the parser knows and the binder does not yet.

Each entry refuses one form. To switch a form on, bind it and delete its entry here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.expressions.aggregates import is_aggregate
from tailrace.expressions.functions import FUNCTIONS
from tailrace.sql.binder.functions import meant
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.table_functions import WINDOWS
from tailrace.sql.source import Source


@dataclass(frozen=True, slots=True)
class Form:
    """
    A form that is refused: a node of a class, if `part` of it was written and `applies` tells so.

    `what` names the form in the message, `hint` says what is supported instead.
    """

    node: type[n.Node]
    what: str
    hint: str
    part: str = ""
    applies: Callable[[n.Node], bool] = lambda _: True

    def found(self, node: n.Node) -> n.Node | None:
        """Give the place of the form in a node; None if it is not there."""
        if type(node) is not self.node or not self.applies(node):
            return None
        if not self.part:
            return node
        value = n.get(node, self.part)
        first = value[0] if isinstance(value, list) and value else value
        return (first if isinstance(first, n.Node) else node) if value else None


def _named(*names: str) -> Callable[[n.Node], bool]:
    return lambda node: str(node.this).upper() in names


def _by_name(node: n.Node) -> bool:
    return any(isinstance(a, n.NamedArgument) for a in n.get(node, "arguments") or ())


def _over(node: n.Node) -> bool:
    return n.get(node, "over") is not None


def _repeated(node: n.Node) -> bool:
    return isinstance(node.this, (n.PatternSequence, n.PatternRepeat))


def _from_nothing(node: n.Node) -> bool:
    return bool(node.meta.get("from_nothing"))


def _of_window(node: n.Node) -> bool:
    function = node.find_ancestor(n.TableFunction)
    return function is None or str(function.this) in WINDOWS


def _is_built_in(node: n.Node) -> bool:
    name = str(node.this).upper()
    return name in FUNCTIONS or is_aggregate(name)


_JSON = ("JSON_ARRAYAGG", "JSON_OBJECTAGG")
_NO_HEED = "leave it out: Flink takes it, and pays no heed"
_PATTERN = "write the pattern with variables and quantifiers only: PATTERN (a b+ c)"

NEVER = (
    Form(n.MatchSource, "ALL ROWS PER MATCH", "write ONE ROW PER MATCH", part="all_rows"),
    Form(n.PatternChoice, "an alternative in PATTERN", _PATTERN),
    Form(n.PatternExclude, "an exclusion in PATTERN", _PATTERN),
    Form(n.PatternPermute, "PERMUTE", _PATTERN),
    Form(n.PatternRepeat, "a quantifier on a group", _PATTERN, applies=_repeated),
    Form(n.PatternRepeat, "a quantifier without its lower number", "write {0,n}", applies=_from_nothing),
    Form(
        n.Call,
        "FILTER together with OVER",
        "write SUM(CASE WHEN ... THEN x END) OVER (...)",
        part="filter",
        applies=_over,
    ),
    Form(
        n.Call,
        "WITHIN GROUP of this function",
        "leave it out",
        part="within_group",
        applies=lambda node: not _named(*_JSON)(node),
    ),
    Form(
        n.Call,
        "an argument by name for a built-in function",
        "give the arguments by their places",
        part="arguments",
        applies=lambda node: _by_name(node) and meant(node) is None and _is_built_in(node),
    ),
    Form(
        n.Call,
        "IGNORE NULLS or RESPECT NULLS of this function",
        "only ARRAY_AGG takes it",
        part="nulls",
        applies=lambda node: not _named("LAG", "LEAD", "ARRAY_AGG")(node),
    ),
    Form(n.TableArgument, "ORDER BY of a table argument", "leave it out", part="order", applies=_of_window),
    Form(s.Insert, "INSERT OVERWRITE of a stream", "write INSERT INTO", part="overwrite"),
)
"""Forms that Flink's parser takes and its planner refuses."""

FORMS = (
    Form(n.Call, "an argument by name", "give the arguments by their places", part="arguments", applies=_by_name),
    Form(n.MatchSource, "SUBSET", "name the variables one by one", part="subsets"),
    Form(n.Call, "WITHIN GROUP", _NO_HEED, part="within_group"),
    Form(n.Call, "ORDER BY among the arguments", _NO_HEED, part="order"),
    Form(
        n.Call,
        "IGNORE NULLS",
        _NO_HEED,
        part="nulls",
        applies=lambda node: n.get(node, "nulls") == "IGNORE" and _named("LAG", "LEAD")(node),
    ),
)
"""The forms in the order in which they are looked for."""


def refuse(statement: n.Node, source: Source) -> None:
    """
    Look for forms that can't be bound yet in a statement.

    Raises:
        ConfigError: Flink refuses one too; points at it.
        UnsupportedError: there is one that is not bound yet; points at it.
    """
    nodes = [node for node in statement.walk() if isinstance(node, n.Node)]
    for form, found in ((f, x) for f in (*NEVER, *FORMS) for node in nodes if (x := f.found(node)) is not None):
        if form in NEVER:
            raise ConfigError(f"{form.what} is not supported, as in Flink", hint=form.hint, location=at(found, source))
        raise UnsupportedError(f"{form.what} is not supported yet", hint=form.hint, location=at(found, source))
