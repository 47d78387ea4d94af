"""Functions of values: whole columns, single rows and async, called anywhere in a query."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from function_kit import WAYS, Row, World, numbers, ordered

from tailrace.plan.warnings import warnings

MODULE = """
@tr.udf(result_type="BIGINT", input_types=["BIGINT"])
def twice(x: pl.Series) -> pl.Series:
    return x * 2

@tr.udf(scalar=True)
def initials(name: str) -> str:
    return "".join(w[0] for w in name.split())

@tr.udf(scalar=True)
def known(name: str | None) -> bool:
    return name is not None

@tr.udf(concurrency=5)
async def later(x: int) -> int:
    await asyncio.sleep(0.0001 * (x % 3))
    return x + 1

@tr.udf(result_type="DOUBLE", arrow=True)
def by_arrow(x: Any) -> Any:
    return pl.Series(x) / 2

@tr.udf(result_type="DECIMAL(10, 2)", input_types=["DECIMAL(10, 2)", "BIGINT"], scalar=True)
def share_of(amount: Decimal | None, share: int | None) -> Decimal | None:
    return None if amount is None or share is None else amount * share / 100

@tr.udf(scalar=True)
def many(*xs: int) -> int:
    return sum(xs)

@tr.udf(scalar=True)
def scaled(x: int, factor: int = 10) -> int:
    return x * factor
"""
NAMES = ("ann lee", "bo", None, "cy dee fox", "")


def people(size: int = 60) -> list[Row]:
    """Give rows with NULLs."""
    return [{"id": i, "n": None if v % 9 == 0 else v % 100, "name": NAMES[v % 5]} for i, v in enumerate(numbers(size))]


def script(world: World, query: str, rows: list[Row], *names: str) -> str:
    """Give a script over the people."""
    world.module(MODULE)
    return world.functions(*names) + world.table("id BIGINT, n BIGINT, name STRING", rows) + query


@pytest.mark.parametrize("way", WAYS)
def test_all_forms_in_select_and_where(world: World, way: str) -> None:
    """Each form gives its value for each row; NULL is kept away from those whose hints have none."""
    rows = people()
    sql = script(
        world,
        "SELECT id, twice(n) AS a, initials(name) AS b, known(name) AS c, later(n) AS d, by_arrow(n) AS e FROM t WHERE later(id) > 5;",
        rows,
        *("twice", "initials", "known", "later", "by_arrow"),
    )
    expected = [
        {
            "id": r["id"],
            "a": None if r["n"] is None else r["n"] * 2,
            "b": None if r["name"] is None else "".join(w[0] for w in r["name"].split()),
            "c": r["name"] is not None,
            "d": None if r["n"] is None else r["n"] + 1,
            "e": None if r["n"] is None else r["n"] / 2,
        }
        for r in rows
        if r["id"] + 1 > 5
    ]
    assert world.rows(sql, way) == ordered(expected)


def test_decimals_are_exact(world: World) -> None:
    """A DECIMAL comes in and goes out with its digits."""
    sql = script(
        world,
        "SELECT CAST(share_of(19.99, 15) AS STRING) AS p, CAST(share_of(0.10, n) AS STRING) AS q FROM t;",
        [{"n": 50}],
        "share_of",
    )
    assert world.rows(sql) == [{"p": str(round(Decimal("19.99") * 15 / 100, 2)), "q": "0.05"}]


def test_arguments_that_may_be_left_out_or_repeat(world: World) -> None:
    """Defaults and *args are those of Python."""
    sql = script(
        world,
        "SELECT many() AS a, many(1, n) AS b, scaled(n) AS c, scaled(n, 2) AS d FROM t;",
        [{"n": 4}],
        "many",
        "scaled",
    )
    assert world.rows(sql) == [{"a": 0, "b": 5, "c": 40, "d": 8}]


def test_a_function_is_called_only_where_its_branch_is_taken(world: World) -> None:
    """CASE and AND keep rows away from a function, as they keep them from an expression that would fail."""
    world.module("""
@tr.udf(scalar=True)
def only_positive(x: int) -> int:
    if x <= 0:
        raise ValueError("not positive")
    return x
""")
    table = world.table("n BIGINT", [{"n": n} for n in (3, -1, None, 0, 5)])
    query = "SELECT n, CASE WHEN n > 0 THEN only_positive(n) ELSE -7 END AS x FROM t WHERE n IS NULL OR n < 0 OR only_positive(n + 1) > 0;"
    found = world.rows(world.functions("only_positive") + table + query)
    assert found == ordered([{"n": n, "x": n if n and n > 0 else -7} for n in (3, -1, None, 0, 5)])


def test_in_computed_columns_joins_groups_and_nested(world: World) -> None:
    """A function stands wherever an expression does."""
    world.module(MODULE)
    rows: list[Row] = [{"id": i, "n": v % 7, "name": "x y"} for i, v in enumerate(numbers(30))]
    t = world.table("id BIGINT, n BIGINT, name STRING, m AS twice(n) + 1", rows)
    u = world.table("k BIGINT, label STRING", [{"k": k, "label": f"l{k}"} for k in range(20)], "u")
    query = """SELECT label, initials(MAX(name)) AS i, SUM(twice(m)) AS s FROM t JOIN u ON twice(n) = k AND twice(m) > 6
      GROUP BY label HAVING twice(COUNT(*)) > 2;"""
    groups: dict[int, list[int]] = {}
    for r in rows:
        if (r["n"] * 2 + 1) * 2 > 6:
            groups.setdefault(r["n"] * 2, []).append((r["n"] * 2 + 1) * 2)
    expected = [{"label": f"l{k}", "i": "xy", "s": sum(v)} for k, v in groups.items() if len(v) * 2 > 2]
    assert expected
    for way in WAYS:
        assert world.rows(world.functions("twice", "initials") + t + u + query, way) == ordered(expected)


def test_nested_types_go_in_and_out(world: World) -> None:
    """Arrays, maps and rows are lists, dicts and tuples."""
    world.module("""
class Point(NamedTuple):
    x: int
    y: int

@tr.udf(scalar=True)
def count_of(words: list[str]) -> dict[str, int]:
    return {w: words.count(w) for w in words}

@tr.udf(scalar=True)
def total(counts: dict[str, int]) -> int:
    return sum(counts.values())

@tr.udf(scalar=True)
def point(x: int) -> Point:
    return Point(x, x + 1)
""")
    sql = world.functions("count_of", "total", "point") + world.table(
        "ws ARRAY<STRING>", [{"ws": ["a", "b", "a"]}, {"ws": []}, {"ws": None}]
    )
    sql += "SELECT count_of(ws)['a'] AS a, total(count_of(ws)) AS n, point(2).y AS y FROM t;"
    assert world.rows(sql) == ordered(
        [{"a": 2, "n": 3, "y": 3}, {"a": None, "n": 0, "y": 3}, {"a": None, "n": None, "y": 3}]
    )


def test_texts_and_bytes_as_arrow_arrays(world: World) -> None:
    """They come in one buffer, with NULLs, and Arrow's other types as they are."""
    world.module("""
import nanoarrow

@tr.udf(result_type="STRING", arrow=True)
def form(x: Any) -> Any:
    return pl.Series([f"{x.schema.type.name} {x.to_pylist().count(None)}"] * len(x))

@tr.udf(result_type="STRING", arrow=True)
def same(x: Any) -> Any:
    return x
""")
    rows = [{"s": s, "n": n} for s, n in (("a", 1), (None, 2), ("", None), ("ü€", 4))]
    sql = world.functions("form", "same") + world.table("s STRING, n BIGINT", rows)
    found = world.rows(sql + "SELECT s, same(s) AS t, form(s) AS f, form(n) AS g, form(CAST(s AS BYTES)) AS h FROM t;")
    assert found == ordered(
        [{"s": r["s"], "t": r["s"], "f": "LARGE_STRING 1", "g": "INT64 1", "h": "LARGE_BINARY 1"} for r in rows]
    )


def test_async_keeps_order_and_bounds_calls(world: World) -> None:
    """No more calls wait at a time than was asked for, and a thousand do if asked for."""
    world.module("""
waiting = most = 0

@tr.udf(concurrency=1000)
async def answer(x: int) -> int:
    global waiting, most
    waiting += 1
    most = max(most, waiting)
    await asyncio.sleep(0.05 if x % 2 else 0.01)
    waiting -= 1
    return x

@tr.udf(scalar=True)
def most_at_once(x: int) -> int:
    return most
""")
    sql = world.functions("answer", "most_at_once") + world.table("n BIGINT", [{"n": n} for n in range(3000)])
    found = world.rows(sql + "SELECT n, answer(n) AS a, most_at_once(answer(n)) AS most FROM t;")
    assert all(r["n"] == r["a"] for r in found)
    assert {r["most"] for r in found} == {1000}


def test_async_inside_a_running_loop(world: World) -> None:
    """As in a notebook."""
    sql = script(world, "SELECT later(n) AS x FROM t;", [{"n": 1}, {"n": 2}], "later")

    async def main() -> list[Row]:
        return world.rows(sql)

    assert asyncio.run(main()) == [{"x": 2}, {"x": 3}]


def test_values_and_constants(world: World) -> None:
    """Calls without columns have a value for each row."""
    sql = script(world, "SELECT twice(4) AS a, n FROM t WHERE twice(1) = 2;", [{"n": 1}, {"n": 2}], "twice", "initials")
    assert world.rows(sql) == [{"a": 8, "n": 1}, {"a": 8, "n": 2}]
    sql = script(
        world, "SELECT * FROM (VALUES (twice(3), initials('a b')), (0, 'c')) AS v(a, b);", [], "twice", "initials"
    )
    assert world.rows(sql) == [{"a": 0, "b": "c"}, {"a": 6, "b": "ab"}]


def test_changing_functions_are_called_for_each_use(world: World) -> None:
    """A function that is not deterministic is neither shared nor moved over a condition."""
    world.module("""
calls = 0

@tr.udf(scalar=True, deterministic=False)
def next_number() -> int:
    global calls
    calls += 1
    return calls

@tr.udf(scalar=True)
def fixed(x: int) -> int:
    global calls
    calls += 1
    return calls
""")
    table = world.table("n BIGINT", [{"n": 1}])
    assert world.rows(
        world.functions("next_number") + table + "SELECT next_number() AS a, next_number() AS b FROM t;"
    ) == [{"a": 1, "b": 2}]
    assert world.rows(world.functions("fixed") + table + "SELECT fixed(n) AS a, fixed(n) AS b FROM t;") == [
        {"a": 3, "b": 3}
    ]


def test_a_changing_function_over_updates_is_warned_of(world: World) -> None:
    """What is taken back may not be what was put out."""
    world.module("""
@tr.udf(scalar=True, deterministic=False)
def mark(x: int) -> int:
    return x
""")
    table = world.functions("mark") + world.table("n BIGINT", [{"n": 1}])
    (warned,) = world.jobs(table + "SELECT mark(c) AS c FROM (SELECT COUNT(*) AS c FROM t GROUP BY n);")
    assert [w for w in warnings(warned.sinks) if "mark is not deterministic" in w]
    (fine,) = world.jobs(table + "SELECT mark(n) AS c FROM t;")
    assert not warnings(fine.sinks)


def test_in_views_that_are_looked_up(world: World) -> None:
    """Each call has values of its own, in columns and in the condition."""
    world.module(MODULE)
    sql = world.functions("twice", "scaled", "many")
    sql += world.table("k BIGINT, p AS PROCTIME()", [{"k": k} for k in range(6)])
    sql += world.table(
        "j BIGINT, n BIGINT", [{"j": j, "n": 10 * j} for j in range(5)], "dim", ", 'lookup.cache' = 'FULL'"
    )
    sql += (
        "CREATE VIEW v AS SELECT j, twice(n) AS a, scaled(n, 3) AS b, twice(n) + 1 AS c FROM dim WHERE many(n, j) > 11;"
    )
    query = "SELECT t.k, v.a, v.b, v.c FROM t JOIN v FOR SYSTEM_TIME AS OF t.p ON t.k = v.j;"
    expected = [{"k": j, "a": 20 * j, "b": 30 * j, "c": 20 * j + 1} for j in range(2, 5)]
    assert world.rows(sql + query) == ordered(expected)
