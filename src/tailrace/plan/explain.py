"""A plan as text: a tree with the changelog mode and the state of each node, and warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from tailrace.expressions.nodes import Call, Cast, Column, Expr, Literal, UserCall, changing_functions
from tailrace.plan.changelog import INSERT_ONLY, Mode, changelog_modes
from tailrace.plan.changelog import shown as mode_text
from tailrace.plan.nodes import (
    Aggregate,
    AssignWatermark,
    Calc,
    Deduplicate,
    Enforce,
    IntervalJoin,
    Join,
    Limit,
    LookupJoin,
    MatchRecognize,
    Materialize,
    Node,
    Normalize,
    OverAggregate,
    OverUpdates,
    Process,
    Rank,
    Repeat,
    Scan,
    Sink,
    Sort,
    SortKey,
    TemporalJoin,
    Union,
    Unnest,
    Values,
    Versions,
    WindowAggregate,
    WindowJoin,
    WindowKind,
    WindowRank,
    WindowSpec,
    WindowTable,
    walk,
)
from tailrace.schema import Kind

_MANY_WINDOWS = 100
_INFIX = frozenset(("+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "||", "LIKE"))
_UNITS = ((86_400_000, "DAY"), (3_600_000, "HOUR"), (60_000, "MINUTE"), (1000, "SECOND"))


def explain(sinks: Sequence[Sink]) -> str:
    """Draw the plans of these sinks; a sub-plan that several read is drawn once and named #1, #2 and so on."""
    drawing = _Drawing(sinks)
    trees = ["\n".join(drawing.tree(s)) for s in sinks]
    warned = [f"warning: {w}" for w in warnings(sinks)]
    return "\n\n".join([*trees, *(["\n".join(warned)] if warned else [])])


def as_nodes(sinks: Sequence[Sink]) -> list[dict[str, Any]]:
    """Give the plans of these sinks for programs: each node with its changelog mode, its state and the ids of its inputs."""
    modes = changelog_modes(sinks)
    nodes = list({id(n): n for s in sinks for n in walk(s)}.values())
    ids = {id(n): number for number, n in enumerate(nodes, start=1)}
    return [
        {
            "id": ids[id(n)],
            "node": describe(n),
            "changes": [change.value for change in modes[id(n)]],
            "state": state_bound(n) or None,
            "inputs": [ids[id(i)] for i in n.inputs],
            "place": str(n.location) if n.location else None,
        }
        for n in nodes
    ]


def warnings(sinks: Sequence[Sink]) -> list[str]:
    """Say what of these plans may be meant otherwise, or can only grow."""
    return list(dict.fromkeys(_warnings(sinks)))


class _Drawing:
    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._modes: dict[int, Mode] = changelog_modes(sinks)
        nodes = {id(n): n for s in sinks for n in walk(s)}
        readers = Counter(id(i) for n in nodes.values() for i in n.inputs)
        shared = [key for key, count in readers.items() if count > 1]
        self._numbers = {key: i + 1 for i, key in enumerate(shared)}
        self._drawn: set[int] = set()

    def tree(self, node: Node, first: str = "", rest: str = "") -> Iterator[str]:
        number = self._numbers.get(id(node))
        mark = f"#{number} " if number else ""
        if id(node) in self._drawn:
            yield f"{first}{mark}(as above)"
            return
        self._drawn.add(id(node))
        yield f"{first}{mark}{describe(node)} {mode_text(self._modes[id(node)])}"
        state = state_bound(node)
        if state:
            yield f"{rest}{'│' if node.inputs else ' '}    state: {state}"
        for i, below in enumerate(node.inputs):
            last = i == len(node.inputs) - 1
            yield from self.tree(below, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def describe(node: Node) -> str:
    """Say in one line what a node does."""
    told = _TOLD.get(type(node))
    return told(node) if told is not None else type(node).__name__


def _small(node: Union | Limit | Values) -> str:
    if isinstance(node, Union):
        return "Union ALL"
    if isinstance(node, Limit):
        return f"Limit {node.count}" + (f" after {node.offset}" if node.offset else "")
    return f"Values: {len(node.rows)} row{'s' if len(node.rows) != 1 else ''}"


def state_bound(node: Node) -> str:
    """Say what a node keeps and when it lets it go; empty for a node without state."""
    match node:
        case Scan():
            return "the position of each partition"
        case AssignWatermark():
            return "one watermark for each partition"
        case Limit():
            return "one counter"
        case WindowAggregate():
            return _window_state(node)
        case OverAggregate() | MatchRecognize():
            return _row_state(node)
        case Aggregate():
            return f"one row{_by(node.keys)}, {_life(node.ttl)}"
        case Normalize() | Materialize() | OverUpdates() | Process():
            return _kept(node)
        case Join():
            return _join_state(node)
        case Rank() | Deduplicate() | Sort() | Versions():
            return _ordered_state(node)
    return ""


def _kept(node: Normalize | Materialize | OverUpdates | Process) -> str:
    if isinstance(node, Process):
        return node.kept
    rows = "the row" if isinstance(node, Normalize) else "all rows"
    return f"{rows}{_by(node.partition if isinstance(node, OverUpdates) else node.keys)}, never dropped"


def expression(expr: Expr) -> str:
    """
    Give an expression as SQL.

    >>> from tailrace.schema import INTERVAL_SECOND
    >>> expression(Literal(INTERVAL_SECOND, 5000))
    "INTERVAL '5' SECOND"
    """
    match expr:
        case Column():
            return expr.name
        case Literal():
            return _literal(expr)
        case Cast():
            word = "TRY_CAST" if expr.safe else "CAST"
            return f"{word}({expression(expr.arg)} AS {expr.type.sql()})"
        case Call():
            inner = [expression(a) for a in expr.args]
            if expr.function in _INFIX and len(inner) == 2:
                return f"({inner[0]} {expr.function} {inner[1]})"
            return f"{expr.function}({', '.join(inner)})"
        case UserCall():
            return f"{expr.function.name}({', '.join(expression(a) for a in expr.args)})"
    return str(expr)


def window(spec: WindowSpec) -> str:
    """
    Give a window as SQL writes it.

    >>> window(WindowSpec(WindowKind.TUMBLE, "ts", 60_000, 60_000))
    "TUMBLE(ts, INTERVAL '1' MINUTE)"
    """
    if spec.attached:
        return f"of {spec.time_column}"
    one = spec.kind in (WindowKind.TUMBLE, WindowKind.SESSION)
    lengths = [spec.size] if one else [spec.slide, spec.size]
    offset = [spec.offset] if spec.offset else []
    return f"{spec.kind.value}({', '.join([spec.time_column, *map(_interval, [*lengths, *offset])])})"


def _literal(expr: Literal) -> str:
    value = expr.value
    if value is None:
        return "NULL"
    if expr.type.kind is Kind.INTERVAL_SECOND:
        return _interval(value)
    if expr.type.kind is Kind.INTERVAL_MONTH:
        return f"INTERVAL '{value}' MONTH"
    if isinstance(value, (date, datetime, time)):
        return f"{expr.type.kind.value} '{value}'"
    if isinstance(value, bytes):
        return f"X'{value.hex().upper()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper() if isinstance(value, bool) else str(value)


def _interval(milliseconds: int) -> str:
    sign, length = "-" if milliseconds < 0 else "", abs(milliseconds)
    for size, unit in _UNITS:
        if length and length % size == 0:
            return f"INTERVAL {sign}'{length // size}' {unit}"
    return f"INTERVAL {sign}'{length / 1000:g}' SECOND"


def _names(node: Node) -> str:
    return ", ".join(node.schema.names)


def _scanned(node: Scan) -> str:
    """Name the columns that are read; of a ROW that is not read as a whole its fields too."""
    declared = {f.name: f.type.names for f in node.table.schema}
    parts = [
        f.name if f.type.names == declared.get(f.name, ()) else f"{f.name} ({', '.join(f.type.names)})"
        for f in node.schema
    ]
    return ", ".join(parts)


def _by(keys: tuple[str, ...]) -> str:
    return f" by ({', '.join(keys)})" if keys else ""


def _aggregates(node: Aggregate | WindowAggregate) -> str:
    return ", ".join(map(str, node.aggregates)) or "distinct rows"


def _calc(node: Calc) -> str:
    pairs = zip(node.schema.names, node.exprs, strict=True)
    columns = [name if (text := expression(e)) == name else f"{name} = {text}" for name, e in pairs]
    where = f" where {expression(node.predicate)}" if node.predicate is not None else ""
    return f"Calc {', '.join(columns)}{where}"


def _unnest(node: Unnest) -> str:
    word = "Unnest OUTER" if node.outer else "Unnest"
    where = f" where {expression(node.condition)}" if node.condition is not None else ""
    return f"{word} {node.collection} AS ({', '.join(node.added)}){where}: {_names(node)}"


def _join(node: Join) -> str:
    signs = ["IS NOT DISTINCT FROM" if k.null_safe else "=" for k in node.keys]
    parts = [f"{k.left} {sign} {k.right}" for k, sign in zip(node.keys, signs, strict=True)]
    parts += [_near(node)] if isinstance(node, IntervalJoin) else []
    parts += [expression(node.condition)] if node.condition is not None else []
    on = f" on {' AND '.join(parts)}" if parts else ""
    if isinstance(node, TemporalJoin):
        return f"TemporalJoin {node.kind.value}{on}, versions by {node.version_time} as of {node.time}: {_names(node)}"
    within = f" in {window(replace(node.window, partition=()))}" if isinstance(node, WindowJoin) else ""
    return f"{type(node).__name__} {node.kind.value}{within}{on}: {_names(node)}"


def _near(node: IntervalJoin) -> str:
    """Give the condition on the times of an interval join."""
    left, right = node.times
    low, high = (
        f"{right} {'-' if x < 0 else '+'} {_interval(abs(x))}" if x else right for x in (node.lower, node.upper)
    )
    return f"{left} = {right}" if node.lower == node.upper == 0 else f"{left} BETWEEN {low} AND {high}"


def _lookup(node: LookupJoin) -> str:
    parts = [f"{k.column} = {expression(k.value)}" for k in node.keys]
    parts += [expression(e) for e in (node.predicate, node.condition) if e is not None]
    on = " AND ".join(parts)
    return f"LookupJoin {node.kind.value} in {node.table.name} ({node.table.connector}) on {on}: {_names(node)}"


def _row_state(node: OverAggregate | MatchRecognize) -> str:
    if isinstance(node, MatchRecognize):
        bound = "never dropped" if node.within is None else f"for at most {_interval(node.within)}"
        waiting = "" if node.processing_time else ", and those that wait for the watermark"
        return f"the rows of open matches{_by(node.partition)}, {bound}{waiting}"
    if node.frame.preceding is None:
        return f"one row{_by(node.partition)}, never dropped, and the rows that wait for the watermark"
    return f"the rows of the last frame{_by(node.partition)}, and those that wait for the watermark"


def _match(node: MatchRecognize) -> str:
    order = ", ".join([node.time, *map(str, node.order)])
    within = "" if node.within is None else f" WITHIN {_interval(node.within)}"
    conditions = [f"{p.variable} AS {expression(p.condition)}" for p in node.parts if p.condition is not None]
    define = f", DEFINE {', '.join(conditions)}" if conditions else ""
    pattern = f"PATTERN ({' '.join(map(str, node.parts))}){within}"
    return f"MatchRecognize{_by(node.partition)} in the order of {order}, {pattern}, AFTER MATCH {node.after}{define}"


def _ordered(node: Rank | Deduplicate | Sort) -> str:
    match node:
        case Sort():
            return f"Sort by {_order(node.order)}"
        case Deduplicate():
            kept = "last" if node.last else "first"
            return f"Deduplicate, keeps the {kept}{_by(node.keys)} in the order of {node.time}"
    order = f" in the order of {_order(node.order)}" if node.order else ""
    number = f", {node.number} = {node.function}()" if node.number else ""
    return f"{type(node).__name__} {_places(node)}{_by(node.partition)}{order}{number}"


def _order(keys: tuple[SortKey, ...]) -> str:
    return ", ".join(map(str, keys))


def _places(node: Rank) -> str:
    if node.end is None:
        return "all" if node.start == 1 else f"from {node.start} on"
    return str(node.end) if node.start == node.end else f"{node.start} to {node.end}"


def _join_state(node: Join) -> str:
    if isinstance(node, TemporalJoin):
        return "rows of the left until the watermark passes them, and of each key the versions that they may need"
    if isinstance(node, WindowJoin):
        return "the rows of open windows of both sides, dropped when the watermark passes"
    if not isinstance(node, IntervalJoin):
        return _regular_state(node)
    passes = "the wall clock" if node.processing_time else "the watermark"
    behind = [max(node.lives(port), 0) for port in (0, 1)]
    left, right = (f"{t} + {_interval(b)}" if b else t for t, b in zip(node.times, behind, strict=True))
    return f"the rows of both sides, dropped when {passes} passes {left} (left) and {right} (right)"


def _regular_state(node: Join) -> str:
    if any(node.ttl):
        return f"the rows of the left, {_life(node.ttl[0])}; those of the right, {_life(node.ttl[1])}"
    return "the rows of both sides, never dropped"


def _life(ttl: int | None) -> str:
    return f"dropped after {ttl / 1000:g} s without a change" if ttl else "never dropped"


def _ordered_state(node: Rank | Deduplicate | Sort | Versions) -> str:
    match node:
        case Versions():
            return f"the last time{_by(node.keys)}, never dropped"
        case Sort():
            return "the rows of this moment" if node.processing_time else "rows until the watermark passes them"
        case Deduplicate():
            row = "the last row" if node.last else "the key"
            return f"{row}{_by(node.keys)}, never dropped"
        case WindowRank():
            return f"{_best(node.end)}{_by(node.partition)}, dropped when the watermark passes"
    below = changelog_modes([node.input])[id(node.input)]
    if node.end is None or below != INSERT_ONLY:
        return "all rows of the input, never dropped"
    return f"{_best(node.end)}{_by(node.partition)}, never dropped"


def _best(count: int | None) -> str:
    return "the best row" if count == 1 else f"the best {count} rows"


def _window_state(node: WindowAggregate) -> str:
    distinct = sorted({a.arg for a in node.aggregates if a.distinct and a.arg})
    values = f" with the distinct values of {', '.join(distinct)}" if distinct else ""
    passes = "the wall clock" if node.window.processing_time else "the watermark"
    return f"open windows{_by(node.keys)}{values}, dropped when {passes} passes"


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


_TOLD: dict[type[Node], Callable[[Any], str]] = {
    Sink: lambda n: f"Sink {n.table.name if n.table else '(result)'}: {_names(n)}",
    Scan: lambda n: f"Scan {n.table.name} ({n.table.connector or 'no connector'}): {_scanned(n)}",
    Union: _small,
    Limit: _small,
    Values: _small,
    AssignWatermark: lambda n: f"Watermark of {n.column}: {expression(n.expr)}",
    Calc: _calc,
    WindowTable: lambda n: f"Window {window(n.window)}",
    WindowAggregate: lambda n: f"WindowAggregate {window(n.window)}{_by(n.keys)}: {_aggregates(n)}",
    OverAggregate: lambda n: f"OverAggregate{_by(n.partition)} by {n.time}, {n.frame}: {', '.join(map(str, n.calls))}",
    MatchRecognize: _match,
    Process: str,
    OverUpdates: lambda n: (
        f"OverUpdates{_by(n.partition)} by {_order(n.order)}, {n.frame}: {', '.join(map(str, n.calls))}"
    ),
    Aggregate: lambda n: f"Aggregate{_by(n.keys)}: {_aggregates(n)}",
    Join: _join,
    TemporalJoin: _join,
    LookupJoin: _lookup,
    Versions: lambda n: f"Versions{_by(n.keys)} in the order of {n.time}",
    WindowJoin: _join,
    IntervalJoin: _join,
    Rank: _ordered,
    WindowRank: _ordered,
    Deduplicate: _ordered,
    Normalize: lambda n: f"Normalize{_by(n.keys)}",
    Materialize: lambda n: f"Materialize the last row{_by(n.keys)}",
    Enforce: lambda n: f"NOT NULL {', '.join(n.columns)}: {'drop' if n.drop else 'error'}",
    Sort: _ordered,
    Unnest: _unnest,
    Repeat: lambda n: f"Repeat {n.count} times: {_names(n)}",
}
