"""
The whole API as users write it, with the types that their editors see: `mypy` and `pyright`, both strict, check this file.

What it says by `assert_type` is checked by them alone; the tests run it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

import polars as pl

import tailrace as tr
from tailrace import col, functions
from tailrace.errors import ConfigError, Location, TailraceError
from tailrace.runtime.summary import Status, Summary
from tailrace.schema import Schema
from tailrace.testing import Change, Drive, Emitted, assert_rows


@dataclasses.dataclass
class Payment:
    """A payment as a class."""

    card: str
    amount: Decimal
    country: str | None = None


@tr.udf(result_type="DOUBLE")
def risk(amount: pl.Series) -> pl.Series:
    """Whole columns in and out."""
    return amount / 1000


@tr.udf(scalar=True)
def initials(name: str) -> str:
    """One value in, one out."""
    return name[:1]


@tr.udf(concurrency=10, timeout="2 s")
async def score(card: str) -> float:
    """One that waits."""
    await asyncio.sleep(0)
    return float(len(card))


@tr.udtf
def words(line: str) -> Iterator[tuple[str, int]]:
    """Rows of a row."""
    for word in line.split():
        yield word, len(word)


@tr.udaf(scalar=True)
class Total:
    """A sum."""

    def create(self) -> list[int]:
        """Give an empty accumulator."""
        return [0]

    def accumulate(self, acc: list[int], value: int) -> None:
        """Add a value."""
        acc[0] += value

    def result(self, acc: list[int]) -> int:
        """Give the sum."""
        return acc[0]


@tr.process(result_type={"visit": "BIGINT"})
class Visits:
    """Counts the visits of each user."""

    visits: int = tr.value_state(0)
    seen: list[str] = tr.list_state()
    pages: dict[str, int] = tr.map_state()

    def on_row(self, row: Any, ctx: tr.Context) -> int:
        """Count one more."""
        self.visits += 1
        ctx.set_timer("1h", clock=True)
        return self.visits

    def on_timer(self, timer: tr.Timer, ctx: tr.Context) -> None:
        """Forget the user."""
        ctx.clear()


def rows() -> tr.Table:
    """Give some rows with a time."""
    frame = pl.DataFrame({"card": ["a", "b"], "amount": [5, 7], "ts": ["2026-01-01 00:00:01", "2026-01-01 00:00:02"]})
    return tr.from_polars(frame.with_columns(pl.col("ts").str.to_datetime(time_unit="ms")), time=tr.event_time("ts"))


def test_sources(tmp_path: Path) -> None:
    """Tables come from connectors, data and SQL."""
    kafka = tr.read_kafka("payments", Payment, bootstrap_servers="localhost:9092", time=tr.processing_time())
    assert_type(kafka, tr.Table)
    assert_type(tr.read_files(str(tmp_path / "*.json"), {"card": str, "n": "INT", "offset": int}), tr.Table)
    datagen = tr.read(
        "datagen", {"id": int, "twice": col("id") * 2}, primary_key=["id"], options={"number-of-rows": "3"}
    )
    assert_type(datagen.columns, tuple[str, ...])
    assert_type(tr.from_rows([{"id": 1}]), tr.Table)
    assert_type(tr.from_arrow(pl.DataFrame({"a": [1]})), tr.Table)
    assert_type(tr.sql("SELECT card FROM t", t=rows()), tr.Table)
    assert_type(rows().schema, Schema)
    assert kafka.columns[:3] == ("card", "amount", "country")
    assert datagen.columns == ("id", "twice")


def test_expressions() -> None:
    """Operators, methods and functions give expressions."""
    a, b = col("a"), tr.lit(Decimal("1.5"))
    for made in (
        *(a + 1, 1 + a, a - 1, 1 - a, a * 2, 2 * a, a / 2, 2 / a, a % 2, 2 % a, -a),
        *(a == 1, a != b, a < 1, a <= 1, a > 1, a >= 1, (a > 1) & (b > 1), (a > 1) | (b > 1), ~(a > 1)),
        *(a.cast("INT"), a.try_cast("INT"), a.alias("x"), a.is_null(), a.is_in([1, 2]), a.is_between(1, 2)),
        *(a.like("x%"), a.fill_null(0), a[1], a.field("f"), a.eq_missing(1), a.ne_missing(None)),
        *(a.sum(), a.mean(), a.min(), a.max(), a.count(), a.n_unique(), a.std(), a.var(ddof=0), a.first(), a.last()),
        *(a.sum().filter(a > 1), a.sum().distinct(), a.sum().over("k", order_by="ts", rows=3), a.shift(1).over("k")),
        *(functions.upper(a), functions.extract("YEAR", a), functions.array(1, 2), functions.if_(a > 1, 1, 2)),
        *(tr.call("ABS", a), tr.call(risk, a), tr.expr("a + 1"), tr.count(), tr.when(a > 1).then(1).otherwise(2)),
        *(tr.left("a") == tr.right("b"), tr.step("up", "price")),
    ):
        assert_type(made, tr.Expr)
        assert isinstance(made, tr.Expr)


def test_tables() -> None:
    """Each step gives a table."""
    t = rows()
    windowed = t.window(tr.tumble("1m"))
    for made in (
        t.select("card", n=col("amount") + 1),
        t.with_columns((col("amount") * 2).alias("twice")).drop("card").rename({"twice": "two"}),
        t.filter(col("amount") > 5, col("card") != "x").unique().head(3),
        t.unique("card", keep="last").as_view("versions"),
        t.sort("ts").top(1, by=[col("amount").desc(), "card"], partition_by="card", rank="place"),
        windowed.group_by("card").agg(n=tr.count()),
        t.window(tr.hop("10s", "1m")).agg(total=col("amount").sum()),
        t.window(tr.cumulate("1h", "1d")).group_by(big=col("amount") > 5).agg(tr.count().alias("n")),
        t.window(tr.session("30m", by="card")).group_by("card").agg(n=tr.count()),
        t.group_by(tr.rollup("card")).agg(n=tr.count()),
        t.group_by(tr.cube("card", "amount")).agg(n=tr.count()),
        t.group_by(tr.grouping_sets("card", ())).agg(total=tr.call("SUM", col("amount"))),
        t.join(t, "card", "left", suffix="_2"),
        t.join(t, tr.left("card") == tr.right("card"), how="semi"),
        t.union(t).intersect(t).difference(t, distinct=True),
        t.lateral(words, "card", names=["word", "size"]),
        t.process(Visits, by="card"),
        t.match(
            tr.Match(
                pattern="a b",
                define={"b": tr.step("b", "amount") > tr.step("a", "amount")},
                measures={"top": tr.step("b", "amount")},
                order_by="ts",
                within="1h",
            )
        ),
    ):
        assert_type(made, tr.Table)
        assert_type(made.sql(), str)
        assert made.columns


def test_functions_stay_functions() -> None:
    """What is declared can be called as before, with its types."""
    assert_type(initials("ann"), str)
    assert_type(risk(pl.Series([500.0])), pl.Series)
    assert_type(words("a b"), Iterator[tuple[str, int]])
    assert_type(asyncio.run(score("ab")), float)
    total = Total()
    acc = total.create()
    total.accumulate(acc, 2)
    assert total.result(acc) == 2


def test_running() -> None:
    """Results are frames, summaries and statuses."""
    t = rows()
    assert_type(t.collect(), pl.DataFrame)
    assert_type(t.preview(1), pl.DataFrame)
    frames: list[pl.DataFrame] = list(t)
    both = t.to("blackhole") + t.to("blackhole", name="second")
    assert_type(both, tr.Pipeline)
    assert_type(both.run("both"), Summary)
    with t.to("blackhole").start("one") as job:
        assert_type(job, tr.Running)
        assert_type(job.status(), Status | None)
        assert_type(job.wait(60), Summary)
    assert sum(map(len, frames)) == 2
    assert asyncio.run(_rows_of(t.stream())) == 2


async def _rows_of(stream: tr.Stream) -> int:
    several: AsyncIterator[pl.DataFrame] = aiter(stream)
    return sum([len(frame) async for frame in several])


def test_errors() -> None:
    """An error tells its place, code and hint."""
    try:
        rows().select("crad")
    except ConfigError as error:
        found: TailraceError = error
        assert_type(found.location, Location | None)
        assert_type(found.hint, str)
        assert found.code == "TR100"
        assert found.hint == "did you mean 'card'?"


def test_the_test_kit() -> None:
    """Drive gives changes and rows."""
    t = tr.read("datagen", {"card": str}, name="payments")
    drive = Drive(t.group_by("card").agg(n=tr.count()))
    assert_type(drive.push("payments", [{"card": "a"}]), Emitted[Change])
    assert_rows(drive.rows(), [{"card": "a", "n": 1}])
