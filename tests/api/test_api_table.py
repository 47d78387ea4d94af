"""Tables of the API: their steps, what they give, and what is wrong in them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import polars as pl
import pytest

import tailrace as tr
from tailrace.errors import ConfigError

START = dt.datetime(2026, 1, 1)


def payments() -> tr.Table:
    """Give six payments within three minutes."""
    rows = [("a", 5, 0), ("b", 7, 10), ("a", 8, 50), ("a", 1, 70), ("b", 2, 80), ("c", 9, 130)]
    frame = pl.DataFrame(
        [(card, amount, START + dt.timedelta(seconds=s)) for card, amount, s in rows],
        schema=["card", "amount", "ts"],
        orient="row",
    )
    return tr.from_polars(frame, name="payments", time=tr.event_time("ts", delay="5s"))


def rows(table: tr.Table) -> list[tuple[object, ...]]:
    """Give the rows of a bounded table, sorted."""
    return sorted(table.collect().rows(), key=repr)


def test_columns() -> None:
    """Columns are chosen, added, replaced, renamed and dropped."""
    t = payments().with_columns(amount=tr.col("amount") * 2, big=tr.col("amount") > 7).drop("ts")

    assert t.rename({"card": "id"}).columns == ("id", "amount", "big")
    assert rows(t.filter(tr.col("big")).select("card", tr.col("amount").alias("x"))) == [("a", 16), ("c", 18)]


def test_window() -> None:
    """The sentence of the first page works: a window, its groups, a filter on what they give."""
    minutes = payments().window(tr.tumble("1m")).group_by("card").agg(n=tr.count(), total=tr.col("amount").sum())

    assert minutes.columns == ("card", "window_start", "window_end", "n", "total")
    assert rows(minutes.filter(tr.col("n") > 1).select("card", "total")) == [("a", 13)]


@pytest.mark.parametrize(
    ("window", "groups"),
    [
        (tr.tumble("1m"), 3),
        (tr.tumble("1m", offset="30s"), 3),
        (tr.hop("30s", "1m"), 6),
        (tr.cumulate("30s", "2m"), 8),
        (tr.session("15s"), 4),
    ],
)
def test_kinds_of_windows(window: object, groups: int) -> None:
    """Each kind gives its windows."""
    assert len(payments().window(window).agg(n=tr.count()).collect()) == groups  # type: ignore[arg-type]


def test_filter_and_select_keep_the_window() -> None:
    """Groups behind them are still those of each window."""
    t = payments().window(tr.tumble("1m")).filter(tr.col("amount") > 1).select("card", "window_start", "window_end")

    assert rows(t.group_by("card").agg(n=tr.count()).select("card", "n")) == [("a", 2), ("b", 1), ("b", 1), ("c", 1)]


def test_groups_that_update() -> None:
    """Of a table that updates the rows stand that are left at the end."""
    assert rows(payments().group_by("card").agg(tr.col("amount").max().alias("most"))) == [("a", 8), ("b", 7), ("c", 9)]


def test_aggregates() -> None:
    """Aggregates take filters and different values."""
    amount = tr.col("amount")
    t = payments().agg(
        n=amount.count(),
        cards=tr.col("card").n_unique(),
        small=amount.sum().filter(amount < 6),
        mean=amount.mean(),
        texts=tr.col("card").join_text("+").distinct(),
    )

    assert rows(t) == [(6, 3, 8, 5, "a+b+c")]


def test_rollup() -> None:
    """Several sets of keys come one behind the other."""
    assert rows(payments().group_by(tr.rollup("card")).agg(n=tr.count())) == [("a", 3), ("b", 2), ("c", 1), (None, 6)]


def test_top_and_unique() -> None:
    """The first rows of each partition, and the last of each key."""
    best = payments().top(1, by=tr.col("amount").desc(), partition_by="card", rank="place")
    last = payments().unique("card", keep="last").select("card", "amount")

    assert rows(best.select("card", "amount", "place")) == [("a", 8, 1), ("b", 7, 1), ("c", 9, 1)]
    assert rows(last) == [("a", 1), ("b", 2), ("c", 9)]
    assert rows(payments().select("card").unique()) == [("a",), ("b",), ("c",)]


def test_top_of_each_window() -> None:
    """Behind a window the first rows are those of each window."""
    t = payments().window(tr.tumble("1m")).top(1, by=tr.col("amount").desc()).select("card", "amount")

    assert rows(t) == [("a", 8), ("b", 2), ("c", 9)]


def test_over() -> None:
    """A running sum and the row before."""
    by_card = {"partition_by": "card", "order_by": "ts"}
    amount = tr.col("amount")
    t = payments().select(
        "card",
        running=amount.sum().over(**by_card),  # type: ignore[arg-type]
        two=amount.sum().over("card", order_by="ts", rows=1),
        minute=amount.sum().over("card", order_by="ts", range="1m"),
        before=amount.shift().over("card", order_by="ts"),
    )

    assert rows(t.filter(tr.col("card") == "a")) == [
        ("a", 13, 13, 13, 5),
        ("a", 14, 9, 9, 8),
        ("a", 5, 5, 5, None),
    ]


def cards() -> tr.Table:
    """Give who owns the cards."""
    return tr.from_rows([{"card": "a", "owner": "Ann"}, {"card": "b", "owner": "Bob"}], name="cards")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("inner", [("a", 8, "Ann"), ("b", 7, "Bob")]),
        ("left", [("a", 8, "Ann"), ("b", 7, "Bob"), ("c", 9, None)]),
        ("right", [("a", 8, "Ann"), ("b", 7, "Bob")]),
    ],
)
def test_join(how: str, expected: list[tuple[object, ...]]) -> None:
    """A join on a name has that column once."""
    big = payments().filter(tr.col("amount") > 6).select("card", "amount")

    assert rows(big.join(cards(), "card", how)) == expected  # type: ignore[arg-type]


def test_join_on_a_condition() -> None:
    """Columns of the same name get a suffix."""
    p = payments()
    t = p.join(p, (tr.left("card") == tr.right("card")) & (tr.left("amount") < tr.right("amount")))

    assert t.columns == ("card", "amount", "ts", "card_right", "amount_right", "ts_right")
    assert rows(t.select("card", "amount", "amount_right")) == [("a", 1, 5), ("a", 1, 8), ("a", 5, 8), ("b", 2, 7)]


def test_sets() -> None:
    """Tables are put together, and what both have, and what one lacks."""
    one = tr.from_rows([{"v": 1}, {"v": 2}, {"v": 2}], name="one")
    two = tr.from_rows([{"v": 2}, {"v": 3}], name="two")

    assert rows(one.union(two)) == [(1,), (2,), (2,), (2,), (3,)]
    assert rows(one.union(two, distinct=True)) == [(1,), (2,), (3,)]
    assert rows(one.intersect(two)) == [(2,)]
    assert rows(one.difference(two)) == [(1,)]


def test_sort_and_head() -> None:
    """The first rows of an order, and of what comes."""
    assert payments().sort(tr.col("amount").desc()).head(2).select("amount").collect().rows() == [(9,), (8,)]
    assert len(payments().head(4).collect()) == 4
    assert payments().sort("ts").select("amount").collect()["amount"].to_list() == [5, 7, 8, 1, 2, 9]


def test_explode() -> None:
    """Each element is a row."""
    t = tr.from_polars(pl.DataFrame({"id": [1, 2], "tags": [["x", "y"], []]}), name="tagged")

    assert rows(t.explode("tags", "tag").select("id", "tag")) == [(1, "x"), (1, "y")]


def test_sql_over_tables() -> None:
    """SQL and the API mix both ways."""
    big = payments().filter(tr.col("amount") > 6)
    t = tr.sql("SELECT card, COUNT(*) AS n FROM big GROUP BY card", big=big).filter(tr.col("n") > 0)

    assert rows(t) == [("a", 1), ("b", 1), ("c", 1)]
    assert rows(tr.sql("SELECT amount FROM payments WHERE card = 'c'", payments=payments())) == [(9,)]


def test_script_runs_as_sql(tmp_path: Path) -> None:
    """What `script` gives is a whole script: another session runs it to the same rows."""
    (tmp_path / "in.json").write_text('{"k": "a", "v": 1}\n{"k": "a", "v": 2}\n')
    t = (
        tr.read_files(str(tmp_path / "in.json"), {"k": str, "v": int}, name="rows")
        .group_by("k")
        .agg(n=tr.col("v").sum())
    )
    script = t.script()

    assert "CREATE TABLE `rows`" in script
    query = script.split(";")[-2]
    assert rows(tr.sql(query, rows=tr.read_files(str(tmp_path / "in.json"), {"k": str, "v": int}, name="rows"))) == [
        ("a", 3)
    ]


@dataclass
class Payment:
    """Columns by annotations."""

    card: str
    amount: Annotated[Decimal, "DECIMAL(10, 2)"]
    note: str | None
    tags: list[str]
    ts: dt.datetime


def test_columns_of_a_class() -> None:
    """What may not be None is NOT NULL."""
    t = tr.read("datagen", Payment, name="p", options={"number-of-rows": "1"})

    assert [f"{f.name} {f.type}" for f in t.schema] == [
        "card STRING NOT NULL",
        "amount DECIMAL(10, 2) NOT NULL",
        "note STRING",
        "tags ARRAY<STRING NOT NULL> NOT NULL",
        "ts TIMESTAMP(3) NOT NULL",
    ]


def test_columns_of_a_dictionary() -> None:
    """Types as SQL or Python, computed and metadata columns, time of processing."""
    t = tr.read_kafka(
        "orders",
        {"id": int, "price": "DECIMAL(10, 2)", "double": tr.col("price") * 2, "at": tr.metadata("BIGINT", "offset")},
        bootstrap_servers="localhost:9092",
        time=tr.processing_time("seen"),
    )

    assert t.columns == ("id", "price", "double", "at", "seen")


@dataclass
class OtherFrame:
    """A frame of another library: all that is known of it is how it gives its data."""

    frame: pl.DataFrame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give it as other libraries take it."""
        return self.frame.__arrow_c_stream__(requested_schema)


def test_frames_of_others() -> None:
    """Pandas is read through Polars, and Arrow as it is."""
    frame = pl.DataFrame({"v": [1, 2]}, schema={"v": pl.UInt32})

    assert rows(tr.from_arrow(OtherFrame(frame))) == [(1,), (2,)]
    assert tr.from_polars(frame).schema["v"].type.sql() == "BIGINT"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda t: t.select("amuont"), "there is no column 'amuont'"),
        (lambda t: t.filter(tr.col("amount") + 1), "BOOLEAN"),
        (lambda t: t.drop("crad"), "did you mean 'card'"),
        (lambda t: t.rename({"x": "y"}), "no column 'x'"),
        (lambda t: t.select(), "no column is given"),
        (lambda t: t.drop("ts").window(tr.tumble("1m")), "the table has no time column"),
        (lambda t: t.window(tr.tumble("1 moon")), "is no span of time"),
        (lambda t: t.join(t), "on=None can't be"),
        (lambda t: t.join(t, "card", "semi", as_of="ts"), "how='semi' can't be as of a time"),
        (lambda t: t.with_columns(tr.col("amount") + 1), "a new column has no name"),
        (lambda t: t.union(t.select("card")), "UNION"),
        (lambda t: t.select(x=tr.call("UPPPER", "a")), "did you mean 'UPPER'"),
        (lambda t: t.to("blackhol"), "did you mean 'blackhole'"),
        (lambda t: t.to("blackhole", {"a": "b"}), "has no option 'a'"),
        (lambda _: tr.read("datagen", {"a": "INTT"}), "is no data type"),
        (lambda _: tr.read("datagen", {"a": complex}), "no SQL type for"),
        (lambda t: tr.sql("SELECT * FROM nowhere", payments=t), "nowhere"),
        (lambda t: tr.sql("DROP TABLE payments", payments=t), "takes one query"),
        (lambda t: t.join(tr.from_rows([{"z": 1}], name="payments"), how="cross"), "two different tables 'payments'"),
    ],
)
def test_what_is_wrong_shows_at_its_line(write: object, message: str) -> None:
    """The error names this file, and says what to do."""
    with pytest.raises(ConfigError, match=message) as failure:
        write(payments())  # type: ignore[operator]

    assert failure.value.location is not None
    assert failure.value.location.file.startswith(__file__)


def test_an_endless_table_is_not_collected() -> None:
    """The error says what can be done instead."""
    endless = tr.read("datagen", {"id": int}, options={"rows-per-second": "10"})

    with pytest.raises(ConfigError, match="endless"):
        endless.collect()


def test_explain() -> None:
    """The plan is drawn with its changes."""
    assert "[I,UB,UA]" in payments().group_by("card").agg(n=tr.count()).explain()
