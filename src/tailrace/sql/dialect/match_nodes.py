"""The syntax tree of MATCH_RECOGNIZE."""

from __future__ import annotations

from typing import ClassVar

from tailrace.sql.dialect.expression_nodes import Node


class MatchSource(Node):
    """
    MATCH_RECOGNIZE over a table or query (`input`).

    `skip` is None where AFTER MATCH was not written; `strict_start` and `strict_end` are `^` and `$` of the pattern.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "input": True,
        "partition": False,
        "order": False,
        "measures": False,
        "all_rows": False,
        "skip": False,
        "strict_start": False,
        "pattern": True,
        "strict_end": False,
        "within": False,
        "subsets": False,
        "defines": True,
        "alias": False,
        "columns": False,
    }


class Measure(Node):
    """One column of MEASURES."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "alias": True}


class Skip(Node):
    """AFTER MATCH SKIP: TO NEXT ROW, PAST LAST ROW, TO FIRST or TO LAST (`kind`, `TO v` is TO LAST) of `variable`."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "variable": False}


class PatternVariable(Node):
    """A row that is what its variable is defined as."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class PatternSequence(Node):
    """Parts one after the other."""

    arg_types: ClassVar[dict[str, bool]] = {"parts": True}


class PatternChoice(Node):
    """One of several parts."""

    arg_types: ClassVar[dict[str, bool]] = {"parts": True}


class PatternRepeat(Node):
    """A part from `low` up to `high` times (None: any number), as often as can be, or as seldom with `reluctant`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "low": True, "high": False, "reluctant": False}


class PatternExclude(Node):
    """A part that is matched and left out: `{- a -}`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class PatternPermute(Node):
    """All parts in any order."""

    arg_types: ClassVar[dict[str, bool]] = {"parts": True}


class Subset(Node):
    """A variable that stands for several: `u = (a, b)`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "variables": True}


class Define(Node):
    """What a variable of the pattern is: `a AS condition`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "condition": True}
