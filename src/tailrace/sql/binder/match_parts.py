"""The pattern of MATCH_RECOGNIZE as a row of variables, and what Flink refuses in it."""

from __future__ import annotations

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.plan.nodes import PatternPart
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

_MOST = 60
"""The variables that a pattern may have: the engine has a bit for each."""


def parts_of(pattern: n.Node, source: Source) -> tuple[PatternPart, ...]:
    """
    Give the variables of a pattern in their order, each with its quantifier.

    Raises:
        ConfigError: Flink refuses such a pattern.
    """
    nodes = pattern.args["parts"] if isinstance(pattern, n.PatternSequence) else [pattern]
    parts = [_part(node) for node in nodes]
    if len(parts) > _MOST:
        message = f"a pattern of more than {_MOST} variables is not supported"
        raise UnsupportedError(message, hint="give one variable several rows", location=at(pattern, source))
    for i, (part, node) in enumerate(zip(parts, nodes, strict=True)):
        before = parts[i - 1] if i else None
        problem = _problem(part, before, [p.variable for p in parts[:i]], last=i == len(parts) - 1)
        if problem:
            raise ConfigError(problem[0], hint=problem[1], location=at(node, source))
    if all(p.low == 0 for p in parts):
        hint = "let one variable have at least one row"
        raise ConfigError("a pattern that no row can match is not supported", hint=hint, location=at(pattern, source))
    return tuple(parts)


def _part(node: n.Node) -> PatternPart:
    if not isinstance(node, n.PatternRepeat):
        return PatternPart(str(node.this))
    low, high = node.args["low"], n.get(node, "high")
    return PatternPart(str(node.this.this), low, high, greedy=not n.get(node, "reluctant"))


def _problem(
    part: PatternPart, before: PatternPart | None, earlier: list[str], *, last: bool
) -> tuple[str, str] | None:
    """Give what Flink says against a part, and what to write instead; None if nothing."""
    if part.variable in earlier:
        return f"the variable {part.variable} stands twice in the pattern", "give the second one another name"
    if (part.low, part.high) == (0, 1) and not part.greedy:
        return f"{part.variable}?? is not supported, as in Flink", f"write {part.variable}?"
    if last and _greedy(part):
        hint = f"add ? to its quantifier, or a variable behind {part.variable} for the row that ends the match"
        return "the last variable of a pattern can't be greedy, as in Flink", hint
    if before is not None and _greedy(before) and part.low == 0 and part.high in (1, None):
        hint = f"add ? to the quantifier of {before.variable}"
        return f"{part.variable} may be left out and can't follow a greedy variable, as in Flink", hint
    return None


def _greedy(part: PatternPart) -> bool:
    """Tell whether a part takes rows from those behind it."""
    return part.greedy and part.many and part.low != part.high
