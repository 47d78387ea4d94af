"""What SQL has beside the common steps, in the words of the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from sql_values import value_of

import tailrace as tr
from tailrace import col
from tailrace.errors import ConfigError


@tr.udtf(result_type="BIGINT")
def up_to(n: int) -> Iterator[int]:
    """Give the numbers below n."""
    yield from range(n)


def bags() -> tr.Table:
    """Give rows with arrays, one of them empty and one NULL."""
    return tr.from_polars(pl.DataFrame({"id": [1, 2, 3], "xs": [["a", "b"], [], None]}), name="bags")


def timed() -> tr.Table:
    """Give rows of which two have the same time."""
    times = [datetime(2026, 1, 1, 12, 0, second) for second in (1, 1, 2)]
    frame = pl.DataFrame({"v": [1, 2, 4], "ts": times})
    return tr.from_polars(frame, name="timed", time=tr.event_time("ts"))


def rows(table: tr.Table) -> list[tuple[Any, ...]]:
    """Give its rows, sorted."""
    return sorted(table.collect().rows(), key=str)


def test_explode_with_empty_ones_and_numbers() -> None:
    """An empty array and NULL have one row of NULLs, and elements are numbered from 1."""
    t = bags().explode("xs", "x", keep_empty=True, number="n").select("id", "x", "n")

    assert rows(t) == [(1, "a", 1), (1, "b", 2), (2, None, None), (3, None, None)]
    assert "LEFT JOIN UNNEST(`l`.`xs`) WITH ORDINALITY AS `u` (`x`, `n`) ON TRUE" in t.sql()
    assert rows(bags().explode("xs", "x").select("id", "x")) == [(1, "a"), (1, "b")]


def test_lateral_with_empty_ones() -> None:
    """A row of which the function makes none stays, or goes."""
    numbers = tr.from_rows([{"n": 2}, {"n": 0}], name="numbers")

    assert rows(numbers.lateral(up_to, "n", names="i", keep_empty=True)) == [(0, None), (2, 0), (2, 1)]
    assert rows(numbers.lateral(up_to, "n", names="i")) == [(2, 0), (2, 1)]


def test_head_with_an_offset() -> None:
    """The rows behind the first ones of an order."""
    t = tr.from_rows([{"v": v} for v in (5, 3, 4, 1, 2)], name="numbers")

    assert rows(t.sort("v").head(2, offset=1)) == [(2,), (3,)]
    with pytest.raises(ConfigError, match="less than no rows"):
        t.sort("v").head(2, offset=-1)


def test_over_so_many_rows_and_all() -> None:
    """Rows of the same time count together, unless they are to count one by one."""
    by_time, by_row = (col("v").sum().over(order_by="ts", rows=rows_) for rows_ in (None, "unbounded"))

    assert sorted(timed().select(x=by_time).collect()["x"]) == [3, 3, 7]
    assert sorted(timed().select(x=by_row).collect()["x"]) == [1, 3, 7]


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (tr.lit("abc").similar_to("(a|x)b_"), True),
        (tr.lit("abc").similar_to("b"), False),
        (tr.lit(2).is_between(3, 1), False),
        (tr.lit(2).is_between(3, 1, symmetric=True), True),
    ],
)
def test_predicates(expr: tr.Expr, value: bool) -> None:
    """They compute what SQL computes."""
    assert value_of(expr) is value


def test_hint_of_state() -> None:
    """How long each side of a join is kept is a part of the plan."""
    one, two = (tr.read("datagen", {"id": int, "v": int}, name=name) for name in ("one", "two"))
    t = one.join(two, "id").hint("STATE_TTL", {"l": "1 d", "r": "12 h"})

    assert "/*+ STATE_TTL('l' = '1 d', 'r' = '12 h') */" in t.sql()
    assert "those of the right, dropped after 43200 s" in t.explain()
    assert "43200 s" not in one.join(two, "id").explain()


def test_hint_of_options(tmp_path: Any) -> None:
    """Another value of an option, for this reading alone."""
    (tmp_path / "a.json").write_text('{"v": 7}\n')
    t = tr.read_files("/nowhere.json", {"v": int}, name="files")

    assert rows(t.hint("OPTIONS", {"path": str(tmp_path / "a.json")}).filter(col("v") > 1)) == [(7,)]


def test_hints_out_of_place() -> None:
    """They are refused with what to write."""
    with pytest.raises(ConfigError, match="OPTIONS can't stand here"):
        timed().select("v").hint("OPTIONS", {"path": "x"})
    t = timed()
    with pytest.raises(ConfigError, match="STATE_TTL can't stand here"):
        t.union(t).hint("STATE_TTL", {"timed": "1 d"})
    with pytest.raises(ConfigError, match="hint"):
        timed().select("v").hint("STATE_TLL", {"timed": "1 d"})


def test_names_of_hints() -> None:
    """Hints for joins name tables."""
    one, two = (tr.read("datagen", {"id": int}, name=name) for name in ("one", "two"))

    assert "/*+ BROADCAST(`r`) */" in one.join(two, "id").hint("broadcast", ["r"]).sql()


def test_which_keys_are_grouped() -> None:
    """GROUPING tells the total from a group of NULL."""
    t = tr.from_rows([{"k": "a", "v": 1}, {"k": None, "v": 2}], name="keys")
    totals = t.group_by(tr.rollup("k")).agg(all=tr.call("GROUPING", col("k")), total=col("v").sum())

    assert rows(totals) == [("a", 0, 1), (None, 0, 2), (None, 1, 3)]
