"""Aggregates of the user: in groups, windows and frames, over rows that are taken back, and over restarts."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from function_kit import WAYS, Row, World, numbers, ordered

from tailrace.errors import ConfigError

MODULE = '''
@tr.udaf(scalar=True)
class Weighted:
    def create(self) -> list[int]:
        return [0, 0]

    def accumulate(self, acc: list[int], value: int, weight: int) -> None:
        acc[0] += value * weight
        acc[1] += weight

    def retract(self, acc: list[int], value: int, weight: int) -> None:
        acc[0] -= value * weight
        acc[1] -= weight

    def merge(self, acc: list[int], others: list[list[int]]) -> None:
        for other in others:
            acc[0] += other[0]
            acc[1] += other[1]

    def result(self, acc: list[int]) -> float | None:
        return acc[0] / acc[1] if acc[1] else None

@tr.udaf(result_type="BIGINT")
class Spread:
    """Keeps all values: whole columns come in."""

    def create(self):
        return {}

    def accumulate(self, acc, x: pl.Series):
        for value, n in x.drop_nulls().value_counts().iter_rows():
            acc[value] = acc.get(value, 0) + n

    def retract(self, acc, x: pl.Series):
        for value, n in x.drop_nulls().value_counts().iter_rows():
            acc[value] -= n
            if not acc[value]:
                del acc[value]

    def merge(self, acc, others):
        for other in others:
            for value, n in other.items():
                acc[value] = acc.get(value, 0) + n

    def result(self, acc):
        return max(acc) - min(acc) if acc else None

@tr.udaf(scalar=True)
class Longest:
    def create(self) -> str:
        return ""

    def accumulate(self, acc: str, text: str) -> str:
        return max(acc, text, key=len)

    def result(self, acc: str) -> str:
        return acc
'''
START = datetime(2026, 1, 1, tzinfo=UTC)


def events(size: int = 80) -> list[Row]:
    """Give rows in the order of time, with NULLs."""
    out: list[Row] = []
    time = START
    for i, v in enumerate(numbers(size)):
        time += timedelta(seconds=v % 4)
        k, n, w = f"k{v % 3}", None if v % 11 == 0 else v % 50, v % 5
        out.append({"id": i, "k": k, "n": n, "w": w, "ts": time.strftime("%Y-%m-%d %H:%M:%S")})
    return out


ROWS = events()
COLUMNS = "id BIGINT, k STRING, n BIGINT, w BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND"


def script(world: World, query: str) -> str:
    """Give a script over the events."""
    world.module(MODULE)
    return world.functions("Weighted", "Spread", "Longest") + world.table(COLUMNS, ROWS) + query


def weighted(rows: list[Row]) -> float | None:
    """Compute the weighted mean of a list of rows."""
    pairs = [(r["n"], r["w"]) for r in rows if r["n"] is not None]
    weight = sum(w for _, w in pairs)
    return sum(n * w for n, w in pairs) / weight if weight else None


def spread(rows: list[Row]) -> int | None:
    """Compute the distance of the extremes of a list of rows."""
    values = [r["n"] for r in rows if r["n"] is not None]
    return max(values) - min(values) if values else None


def grouped(rows: list[Row], key: Any) -> dict[Any, list[Row]]:
    """Group rows."""
    out: dict[Any, list[Row]] = defaultdict(list)
    for r in rows:
        out[key(r)].append(r)
    return out


@pytest.mark.parametrize("way", WAYS)
def test_group_by(world: World, way: str) -> None:
    """Beside built-in aggregates, with FILTER and DISTINCT."""
    query = """SELECT k, weighted(n, w) AS a, spread(n) FILTER (WHERE w > 1) AS b, COUNT(*) AS c, spread(DISTINCT n) AS d, weighted(DISTINCT n, 1) AS e
      FROM t GROUP BY k;"""
    expected = [
        {
            "k": k,
            "a": weighted(rows),
            "b": spread([r for r in rows if r["w"] > 1]),
            "c": len(rows),
            "d": spread(rows),
            "e": weighted([{"n": n, "w": 1} for n in {r["n"] for r in rows}]),
        }
        for k, rows in grouped(ROWS, lambda r: r["k"]).items()
    ]
    assert world.rows(script(world, query), way) == ordered(expected)


@pytest.mark.parametrize("way", WAYS)
def test_taken_back(world: World, way: str) -> None:
    """Over an aggregation that updates, only the last values count."""
    query = "SELECT weighted(m, 1) AS a, spread(m) AS b FROM (SELECT k, w, MAX(n) AS m FROM t GROUP BY k, w);"
    extremes = [
        max((r["n"] for r in rows if r["n"] is not None), default=None)
        for rows in grouped(ROWS, lambda r: (r["k"], r["w"])).values()
    ]
    expected = [{"a": weighted([{"n": n, "w": 1} for n in extremes]), "b": spread([{"n": n} for n in extremes])}]
    assert world.rows(script(world, query), way) == expected


def seconds(row: Row) -> int:
    """Give the time of a row since the start."""
    return int((datetime.fromisoformat(row["ts"] + "+00:00") - START).total_seconds())


@pytest.mark.parametrize("way", WAYS)
def test_windows(world: World, way: str) -> None:
    """Tumbling windows need no merge; a hopping window is the merge of its slices."""
    sql = script(
        world,
        "SELECT k, weighted(n, w) AS a, longest(k) AS b FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;",
    )
    tumbled = grouped(ROWS, lambda r: (r["k"], seconds(r) // 10))
    assert world.rows(sql, way) == ordered([{"k": k, "a": weighted(rows), "b": k} for (k, _), rows in tumbled.items()])

    sql = script(
        world,
        "SELECT window_start AS s, weighted(n, w) AS a, spread(n) AS b FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND)) GROUP BY window_start, window_end;",
    )
    last = max(map(seconds, ROWS))
    starts = [s for s in range(-15, last + 1, 5) if any(s <= seconds(r) < s + 20 for r in ROWS)]
    windows = {s: [r for r in ROWS if s <= seconds(r) < s + 20] for s in starts}
    shown = {s: (START + timedelta(seconds=s)).strftime("%Y-%m-%d %H:%M:%S") for s in starts}
    assert world.rows(sql, way) == ordered(
        [{"s": shown[s], "a": weighted(rows), "b": spread(rows)} for s, rows in windows.items()]
    )


@pytest.mark.parametrize("way", WAYS)
def test_sessions(world: World, way: str) -> None:
    """Sessions that a row joins are merged."""
    sql = script(
        world,
        "SELECT k, spread(n) AS a, weighted(n, w) AS b FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '4' SECOND)) GROUP BY k, window_start, window_end;",
    )
    expected = []
    for k, rows in grouped(ROWS, lambda r: r["k"]).items():
        sessions: list[list[Row]] = []
        for r in sorted(rows, key=seconds):
            if sessions and seconds(r) - seconds(sessions[-1][-1]) <= 4:
                sessions[-1].append(r)
            else:
                sessions.append([r])
        expected += [{"k": k, "a": spread(s), "b": weighted(s)} for s in sessions]
    assert world.rows(sql, way) == ordered(expected)


@pytest.mark.parametrize("way", WAYS)
def test_over(world: World, way: str) -> None:
    """Over the rows before each row: from the first on, and over a frame."""
    query = """SELECT id, weighted(n, w) OVER (PARTITION BY k ORDER BY ts) AS a FROM t;"""
    by_key = grouped(ROWS, lambda r: r["k"])
    expected = [{"id": r["id"], "a": weighted([x for x in by_key[r["k"]] if seconds(x) <= seconds(r)])} for r in ROWS]
    assert world.rows(script(world, query), way) == ordered(expected)
    query = (
        "SELECT id, spread(n) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS a FROM t;"
    )
    expected = []
    for rows in by_key.values():
        expected += [{"id": r["id"], "a": spread(rows[max(0, i - 3) : i + 1])} for i, r in enumerate(rows)]
    assert world.rows(script(world, query), way) == ordered(expected)


def test_no_rows(world: World) -> None:
    """Without a row that counts, the result is that of an empty accumulator."""
    assert world.rows(
        script(
            world,
            "SELECT k, weighted(n, w) FILTER (WHERE w > 100) AS a, longest(k) FILTER (WHERE FALSE) AS b FROM t WHERE k = 'k1' GROUP BY k;",
        )
    ) == [{"k": "k1", "a": None, "b": ""}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT longest(m) FROM (SELECT w, MAX(k) AS m FROM t GROUP BY w)", "the aggregate longest has no retract"),
        (
            "SELECT longest(k) FROM TABLE(SESSION(TABLE t, DESCRIPTOR(ts), INTERVAL '4' SECOND)) GROUP BY window_start, window_end",
            "the aggregate longest has no merge",
        ),
        (
            "SELECT longest(k) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '4' SECOND, INTERVAL '8' SECOND)) GROUP BY window_start, window_end",
            "the aggregate longest has no merge",
        ),
        ("SELECT id FROM t WHERE longest(k) = 'a'", "an aggregate can't stand in WHERE"),
        ("SELECT longest(MAX(k)) FROM t", "an aggregate can't stand inside another one"),
        ("SELECT longest() FROM t", "longest takes other arguments than 0"),
        ("SELECT longest(k, k) FROM t", "longest takes other arguments than 2"),
    ],
)
def test_refused(world: World, query: str, message: str) -> None:
    """What an aggregate can't do is refused before anything runs, with the method that it lacks."""
    with pytest.raises(ConfigError) as caught:
        world.jobs(script(world, query))
    assert message in caught.value.message
    assert caught.value.location is not None
