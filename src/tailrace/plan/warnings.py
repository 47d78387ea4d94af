"""What of a plan may be meant otherwise, or can only grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tailrace.expressions.nodes import changing_functions
from tailrace.plan.changelog import INSERT_ONLY, changelog_modes
from tailrace.plan.nodes import Calc, LookupJoin, MatchRecognize, Sink, WindowAggregate, WindowTable, walk

_MANY_WINDOWS = 100


def warnings(sinks: Sequence[Sink]) -> list[str]:
    """Say what of these plans may be meant otherwise, or can only grow."""
    return list(dict.fromkeys(_warnings(sinks)))


def _warnings(sinks: Sequence[Sink]) -> Iterator[str]:
    modes = changelog_modes(sinks)
    for node in (n for s in sinks for n in walk(s)):
        at = f"{node.location}: " if node.location else ""
        if isinstance(node, MatchRecognize) and node.within is None and any(p.high is None for p in node.parts):
            yield f"{at}a match without WITHIN may stay open for ever: its rows are kept, and later matches wait for it"
        if isinstance(node, (WindowAggregate, WindowTable)):
            yield from (at + text for text in _window_warnings(node))
        if isinstance(node, LookupJoin) and changelog_modes([node])[id(node)] != INSERT_ONLY:
            yield f"{at}rows that are updated are looked up again to take them back: if '{node.table.name}' has changed, another row is taken back"
        if isinstance(node, Sink):
            yield from (at + text for text in _null_warnings(node))
        if isinstance(node, Calc) and modes[id(node.input)] != INSERT_ONLY:
            yield from (at + text for text in _changing_warnings(node))


def _changing_warnings(node: Calc) -> Iterator[str]:
    computed = [*node.exprs, *([node.predicate] if node.predicate is not None else [])]
    for name in dict.fromkeys(name for e in computed for name in changing_functions(e)):
        yield f"{name} is not deterministic: a row that is taken back may get another value than it had"


def _window_warnings(node: WindowAggregate | WindowTable) -> Iterator[str]:
    spec = node.window
    if spec.processing_time:
        yield f"{spec.kind.value} by the wall clock gives other rows when the input is replayed"
    if isinstance(node, WindowTable) and spec.size // spec.slide > _MANY_WINDOWS:
        yield f"each row is copied into {spec.size // spec.slide} windows"


def _null_warnings(node: Sink) -> Iterator[str]:
    for given, target in zip(node.input.schema, node.schema, strict=True):
        if node.table is not None and given.type.nullable and not target.type.nullable:
            yield f"'{target.name}' of '{node.table.name}' is NOT NULL, but the query may give NULL"
