"""Functions of the user, patterns, and versions of tables in the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl
import pytest

import tailrace as tr
from tailrace.errors import ConfigError, UnsupportedError

START = dt.datetime(2026, 1, 1)


def timed(name: str, rows: list[tuple[object, ...]], columns: list[str]) -> tr.Table:
    """Give rows whose last value is the second of their time."""
    given = [(*row[:-1], START + dt.timedelta(seconds=float(str(row[-1])))) for row in rows]
    frame = pl.DataFrame(given, schema=[*columns, "ts"], orient="row")
    return tr.from_polars(frame, name=name, time=tr.event_time("ts"))


def prices() -> tr.Table:
    """Give prices that rise and fall."""
    rows = [("a", price, second) for second, price in enumerate([5, 7, 9, 4, 6, 3])]
    return timed("prices", list(rows), ["item", "price"])


@tr.udf(result_type="BIGINT")
def doubled(x: pl.Series) -> pl.Series:
    """Give the double."""
    return x * 2


@tr.udtf
def letters(word: str) -> Iterator[tuple[str, int]]:
    """Give the letters of a word with their places."""
    yield from ((letter, place) for place, letter in enumerate(word))


@tr.udaf(scalar=True)
class Longest:
    """The longest text."""

    def create(self) -> list[str]:
        """Begin with an empty one."""
        return [""]

    def accumulate(self, acc: list[str], text: str) -> None:
        """Keep the longer one."""
        acc[0] = max(acc[0], text, key=len)

    def result(self, acc: list[str]) -> str:
        """Give it."""
        return acc[0]


def words() -> tr.Table:
    """Give three words."""
    return tr.from_rows([{"k": 1, "word": "by"}, {"k": 1, "word": "hand"}, {"k": 2, "word": "a"}], name="words")


def test_function_of_values() -> None:
    """It is called as any function, without a name in SQL."""
    t = prices().select(x=tr.call(doubled, tr.col("price")) + 1)

    assert t.collect()["x"].to_list() == [11, 15, 19, 9, 13, 7]


def test_aggregate() -> None:
    """It aggregates groups."""
    t = words().group_by("k").agg(longest=tr.call(Longest, tr.col("word")))

    assert sorted(t.collect().rows()) == [(1, "hand"), (2, "a")]


def test_table_function() -> None:
    """Each row comes with the rows that are made of it."""
    t = words().lateral(letters, "word", names=["letter", "place"]).filter(tr.col("place") == 1)

    assert sorted(t.select("word", "letter").collect().rows()) == [("by", "y"), ("hand", "a")]


def test_script_names_the_functions() -> None:
    """What is printed can be run by others."""
    text = words().select(x=tr.call(doubled, tr.col("k"))).script()

    assert "CREATE TEMPORARY FUNCTION `doubled` AS" in text
    assert ":doubled' LANGUAGE PYTHON" in text


def test_match() -> None:
    """A rise and then a fall."""
    up, down = tr.step("up", "price"), tr.step("down", "price")
    peak = tr.Match(
        pattern="start_ up+ down",
        define={
            "up": up > tr.call("LAST", up, 1).fill_null(tr.step("start_", "price")),
            "down": down < tr.call("LAST", up),
        },
        measures={"top": tr.call("LAST", up), "bottom": down},
        partition_by="item",
        order_by="ts",
    )
    t = prices().match(peak)

    assert t.columns == ("item", "top", "bottom")
    assert t.collect().rows() == [("a", 9, 4)]


@pytest.mark.parametrize("pattern", ["a (", "", "a b) WITHIN INTERVAL '1' HOUR (", "(" * 3000 + "a" + ")" * 3000])
def test_pattern_that_is_none(pattern: str) -> None:
    """The error stands at the line of the match."""
    match = tr.Match(pattern=pattern, define={}, measures={"x": tr.step("a", "price")}, order_by="ts")

    with pytest.raises(ConfigError, match=r"test_api_more_tables\.py:\d+:\d+: '.*' is no pattern"):
        prices().match(match)


@pytest.mark.parametrize("after", ["", "TO", "PAST LAST ROW PATTERN (x)"])
def test_a_way_to_go_on_that_is_none(after: str) -> None:
    """The error stands at the line of the match."""
    match = tr.Match(pattern="a", define={}, measures={"x": tr.step("a", "price")}, order_by="ts", after=after)

    with pytest.raises(ConfigError, match="is no way to go on after a match"):
        prices().match(match)


@pytest.mark.parametrize(
    ("after", "written"),
    [("TO LAST", "TO LAST `LAST`"), ("TO FIRST b", "TO FIRST `b`"), ("TO NEXT ROW", "TO NEXT ROW")],
)
def test_ways_to_go_on(after: str, written: str) -> None:
    """They are written as in SQL; FIRST and LAST may be variables themselves."""
    defined = {"b": tr.step("b", "price") > 5, "LAST": tr.step("LAST", "price") > 5}
    match = tr.Match(
        pattern="b LAST", define=defined, measures={"x": tr.step("b", "price")}, order_by="ts", after=after
    )

    assert f"AFTER MATCH SKIP {written}" in prices().match(match).sql()


def test_join_with_versions() -> None:
    """Each row meets the version of its time."""
    rates = timed("rates", [("a", 10, 0), ("a", 20, 3)], ["item", "rate"])
    versions = rates.unique("item", keep="last").as_view("versions")
    t = prices().join(versions, "item", as_of="ts").select("price", "rate")

    assert t.collect().rows() == [(5, 10), (7, 10), (9, 10), (4, 20), (6, 20), (3, 20)]


def test_versions_need_a_name() -> None:
    """The error says how to give one."""
    rates = timed("rates", [("a", 10, 0)], ["item", "rate"]).unique("item", keep="last")

    with pytest.raises(ConfigError, match="as_view"):
        prices().join(rates, "item", as_of="ts")


@pytest.mark.parametrize(("how", "expected"), [("semi", [5, 7]), ("anti", [3, 4, 6, 9])])
def test_semi_and_anti_join(how: str, expected: list[int]) -> None:
    """Rows that have, or lack, a row on the other side."""
    wanted = tr.from_rows([{"price": 5}, {"price": 7}, {"price": 7}], name="wanted")
    t = prices().select("price").join(wanted, "price", how)  # type: ignore[arg-type]

    assert sorted(t.collect()["price"].to_list()) == expected


def test_interval_join() -> None:
    """A bound on the time between both needs no more state than that."""
    p = prices()
    near = tr.left("ts").is_between(tr.right("ts") - dt.timedelta(seconds=1), tr.right("ts"))
    t = p.join(p, (tr.left("item") == tr.right("item")) & near)

    assert "IntervalJoin" in t.explain()
    assert len(t.collect()) == 11


def test_columns_of_another_table() -> None:
    """What was written is read back with the schema of the table that was written, also what may not be NULL."""
    counted = prices().group_by("item").agg(n=tr.count())
    read = tr.read("memory", counted.schema, name="counted", primary_key="item")

    assert [str(f.type) for f in read.schema] == ["STRING NOT NULL", "BIGINT NOT NULL"]
    assert read.columns == ("item", "n")


def test_a_temporal_join_of_a_table_of_changes() -> None:
    """The error says how its changes can be joined."""
    broker = {"topic": "t", "properties.bootstrap.servers": "nowhere:1"}
    stock = tr.read(
        "kafka",
        {"item": str, "ts": "TIMESTAMP(3)"},
        name="stock",
        time=tr.event_time("ts"),
        options=broker | {"format": "debezium-json"},
    )
    versions = prices().unique("item", keep="last").as_view("versions")
    with pytest.raises(UnsupportedError, match=r"updated is not supported[\s\S]*read the changes as rows of their own"):
        stock.join(versions, "item", as_of="ts")
