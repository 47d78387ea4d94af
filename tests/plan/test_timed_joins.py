"""Which joins are bounded in time: by equal windows, or by an interval between two time attributes."""

from __future__ import annotations

import pytest

from tailrace.errors import ConfigError
from tailrace.plan.explain import explain
from tailrace.plan.nodes import IntervalJoin, Join, JoinKind, Node, WindowAggregate, WindowJoin, walk
from tailrace.schema import TimeAttribute
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

TABLES = "".join(
    f"CREATE TABLE {name} (id BIGINT, k STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME(), "
    "WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'x');\n"
    for name in ("a", "b")
)
WINDOW = "TABLE({kind}(TABLE {table}, DESCRIPTOR({time}), {lengths}))"
EDGES = "l.window_start = r.window_start AND l.window_end = r.window_end"


def window(table: str, kind: str = "TUMBLE", time: str = "ts", lengths: str = "INTERVAL '10' SECOND") -> str:
    """Write a window table function."""
    return WINDOW.format(kind=kind, table=table, time=time, lengths=lengths)


def bound(text: str) -> Query:
    """Bind and optimize a query."""
    session = Session()
    session.bind(TABLES, "tables.sql")
    statement = session.bind(text, "q.sql")[-1]
    assert isinstance(statement, Query)
    return statement


def join(text: str) -> Node:
    """Give the join of a query that has one."""
    (found,) = [n for n in walk(bound(text).plan) if isinstance(n, Join)]
    return found


def of_windows(on: str = f"l.k = r.k AND {EDGES}", left: str = "", right: str = "", kind: str = "JOIN") -> str:
    """Write a join of windows."""
    return f"SELECT l.id, r.id FROM {left or window('a')} l {kind} {right or window('b')} r ON {on}"


def near(on: str, kind: str = "JOIN") -> str:
    """Write a join by time."""
    return f"SELECT a.id, b.id FROM a {kind} b ON a.k = b.k AND {on}"


@pytest.mark.parametrize(
    "text",
    [
        of_windows(),
        of_windows(kind="FULL JOIN"),
        of_windows(on=EDGES),
        of_windows(on=f"l.k = r.k AND {EDGES} AND l.v < r.v"),
        of_windows(on=f"{EDGES} AND l.window_start = r.window_start"),
        f"SELECT l.id, r.id FROM {window('a')} l, {window('b')} r WHERE l.k = r.k AND {EDGES}",
        (
            f"SELECT l.id, r.n FROM {window('a')} l JOIN (SELECT k, window_end, window_start, COUNT(*) AS n "
            f"FROM {window('b')} GROUP BY k, window_start, window_end) r ON {EDGES}"
        ),
    ],
)
def test_equal_windows_are_joined_by_window(text: str) -> None:
    """Start and end of equal windows among the conditions bound a join; that they are equal is checked by nobody else."""
    made = join(text)
    assert isinstance(made, WindowJoin)
    assert not any("window" in k.left for k in made.keys)


@pytest.mark.parametrize(
    "text",
    [
        of_windows(on="l.k = r.k AND l.window_start = r.window_start"),
        of_windows(right=window("b", lengths="INTERVAL '5' SECOND")),
        of_windows(right=window("b", time="pt")),
        of_windows(left=window("a", "HOP", lengths="INTERVAL '10' SECOND, INTERVAL '10' SECOND")),
        near("a.ts >= b.ts"),
        near("a.ts >= b.ts AND a.ts > b.ts - INTERVAL '1' SECOND"),
        near("a.ts BETWEEN b.ts - INTERVAL '10' SECOND AND b.ts AND a.ts > b.ts - INTERVAL '5' SECOND"),
        near("a.pt BETWEEN b.ts - INTERVAL '10' SECOND AND b.ts"),
        near("(a.ts >= b.ts OR a.v > 1) AND a.ts <= b.ts + INTERVAL '1' SECOND"),
        near("a.ts BETWEEN CAST(b.ts AS TIMESTAMP(3)) AND b.ts + INTERVAL '1' SECOND"),
    ],
)
def test_other_joins_are_regular(text: str) -> None:
    """What Flink joins for ever is joined for ever here, and its time attributes are plain timestamps."""
    made = join(text)
    assert type(made) is Join
    assert not any(f.time for f in made.schema)


@pytest.mark.parametrize(
    ("on", "lower", "upper"),
    [
        ("a.ts BETWEEN b.ts - INTERVAL '10' SECOND AND b.ts", -10_000, 0),
        ("b.ts BETWEEN a.ts - INTERVAL '10' SECOND AND a.ts", 0, 10_000),
        ("a.ts - INTERVAL '3' SECOND < b.ts AND b.ts < a.ts + INTERVAL '5' SECOND", -4_999, 2_999),
        ("a.ts >= b.ts AND b.ts >= a.ts - INTERVAL '1' MINUTE - INTERVAL '1' SECOND", 0, 61_000),
        ("a.ts = b.ts", 0, 0),
        ("a.ts = b.ts + INTERVAL '1' SECOND AND TRUE", 1000, 1000),
        ("a.ts BETWEEN b.ts + 2 * INTERVAL '1' SECOND AND INTERVAL '3' SECOND + b.ts", 2_000, 3_000),
        ("a.ts BETWEEN b.ts - INTERVAL '1' MONTH AND b.ts + INTERVAL '14' MONTH", -31 * 86_400_000, 424 * 86_400_000),
    ],
)
def test_intervals_are_found(on: str, lower: int, upper: int) -> None:
    """Two bounds of one time by the other, or one equality, make an interval join, whatever side they are written on."""
    made = join(near(on))
    assert isinstance(made, IntervalJoin)
    assert (made.lower, made.upper, made.processing_time) == (lower, upper, False)
    assert [k.left for k in made.keys][:1] == ["k"]


def test_what_is_left_of_the_condition_stays() -> None:
    """Other conditions are checked pair by pair; months too, as they are not all of one length."""
    made = join(near("a.v < b.v AND a.ts BETWEEN b.ts - INTERVAL '1' SECOND AND b.ts"))
    assert isinstance(made, IntervalJoin)
    assert str(made.condition) == "(v < v0)"
    made = join(near("a.ts BETWEEN b.ts - INTERVAL '1' MONTH AND b.ts"))
    assert isinstance(made, IntervalJoin)
    assert str(made.condition) == "(ts >= (ts0 - 1))"


def test_time_attributes_stay() -> None:
    """Behind joins by window and interval both sides have their time attributes."""
    for text in (near("a.ts BETWEEN b.ts AND b.ts + INTERVAL '1' SECOND"), of_windows()):
        made = join(text.replace("SELECT", "SELECT *, ").replace("*, l.id, r.id", "*").replace("*, a.id, b.id", "*"))
        times = [f.name for f in made.schema if f.time is TimeAttribute.ROWTIME]
        assert times[:1] + times[-1:] in (["ts", "ts0"], ["ts", "window_time0"])


def test_processing_time() -> None:
    """Rows are joined by when they come; windows of processing time are not joined, as in Flink."""
    made = join(near("a.pt BETWEEN b.pt - INTERVAL '10' SECOND AND b.pt"))
    assert isinstance(made, IntervalJoin)
    assert made.processing_time
    with pytest.raises(ConfigError, match="windows of processing time can't be joined, as in Flink"):
        bound(of_windows(left=window("a", time="pt"), right=window("b", time="pt")))


def test_windows_follow_each_other() -> None:
    """The rows of a window join are in its window: they are grouped by window, joined again, and ranked by it."""
    text = of_windows().replace("l.id, r.id", "l.window_start, l.window_end, COUNT(*) AS n")
    text += " GROUP BY l.window_start, l.window_end"
    top, second = (type(n) for n in walk(bound(text).plan)[-2:-4:-1])
    assert WindowAggregate in (top, second)
    three = of_windows() + f" JOIN {window('a')} c ON c.window_start = l.window_start AND c.window_end = l.window_end"
    assert sum(isinstance(n, WindowJoin) for n in walk(bound(three).plan)) == 2


@pytest.mark.parametrize(("word", "kind"), [("EXISTS", JoinKind.SEMI), ("NOT EXISTS", JoinKind.ANTI)])
def test_queries_inside_of_a_window(word: str, kind: JoinKind) -> None:
    """EXISTS with equal windows is a join by window too; with an interval it is a regular join, as in Flink."""
    inner = f"SELECT 1 FROM {window('b')} r WHERE l.k = r.k AND {EDGES}"
    made = join(f"SELECT l.id FROM {window('a')} l WHERE {word} ({inner})")
    assert isinstance(made, WindowJoin)
    assert made.kind is kind
    near_b = "SELECT 1 FROM b WHERE a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '1' SECOND AND b.ts"
    assert type(join(f"SELECT a.id FROM a WHERE {word} ({near_b})")) is Join


def test_explain_shows_the_state_bound() -> None:
    """The plan says what joins by time keep, and until when."""
    text = explain([bound(of_windows()).plan])
    assert "WindowJoin INNER in TUMBLE(ts, INTERVAL '10' SECOND) on k = k0: id, id0 [I]" in text
    assert "state: the rows of open windows of both sides, dropped when the watermark passes" in text
    text = explain([bound(near("a.ts BETWEEN b.ts - INTERVAL '10' SECOND AND b.ts", "LEFT JOIN")).plan])
    assert "IntervalJoin LEFT on k = k0 AND ts BETWEEN ts0 - INTERVAL '10' SECOND AND ts0: id, id0 [I]" in text
    assert "dropped when the watermark passes ts + INTERVAL '10' SECOND (left) and ts0 (right)" in text
