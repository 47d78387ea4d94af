"""Functions of the user are counted, each for the operator that calls it, whatever their form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tailrace as tr
from tailrace.engine.operator import FunctionUse
from tailrace.observe.exposition import Exposition
from tailrace.observe.samples import samples
from tailrace.runtime.observation import Observation
from tailrace.runtime.script import Script

FRAME = pl.DataFrame({"k": ["a", "b", "a", "b", "a"], "n": [1, 2, 3, 4, 0]})


@tr.udf(scalar=True)
def halved(n: int) -> int:
    if n == 0:
        raise ValueError("nothing to halve")
    return n // 2


@tr.udf
async def asked(n: int) -> int:
    return n


@tr.udaf(scalar=True)
class Summed:
    """Adds values, but no fours."""

    def create(self) -> int:
        return 0

    def accumulate(self, acc: int, value: int) -> int:
        if value == 4:
            raise ValueError("no fours")
        return acc + value

    def merge(self, acc: int, others: list[int]) -> int:
        return acc + sum(others)

    def result(self, acc: int) -> int:
        return acc


@tr.process(result_type={"n": "BIGINT"})
class Passed:
    """Passes rows on, but no threes."""

    def on_row(self, row: Any, _ctx: Any) -> Iterator[int]:
        if row.n == 3:
            raise ValueError("no threes")
        yield row.n


def seen_of(query: Any) -> Observation:
    """Run a query to its end, and give what is seen of it."""
    pipeline = query.to("blackhole")
    script = Script("j", [pipeline.bound({})], pipeline.definitions.session({}).tables, {})
    script.run()
    seen = script.observe()
    assert seen is not None
    return seen


def used(seen: Observation) -> dict[str, FunctionUse]:
    return {name: use for o in seen.operators for name, use in o.functions.items()}


@pytest.fixture
def rows(tmp_path: Path) -> tr.Table:
    """Give rows of which one may be bad: it is dropped."""
    FRAME.write_ndjson(tmp_path / "t.json")
    options = {"path": str(tmp_path / "t.json"), "format": "json", "tailrace.on-error": "drop"}
    return tr.read("filesystem", {"k": str, "n": int}, options=options, name="t")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (lambda rows: rows.select(x=tr.call(halved, tr.col("n"))), "halved"),
        (lambda rows: rows.group_by("k").agg(x=tr.call(Summed, tr.col("n"))), "Summed"),
        (lambda rows: rows.process(Passed, by="k"), "Passed"),
    ],
    ids=["function", "aggregate", "process"],
)
def test_each_form_is_counted(rows: tr.Table, query: Any, name: str) -> None:
    """Five rows, one of which fails."""
    use = used(seen_of(query(rows)))[name]
    assert use.rows >= 5
    assert use.failed == 1
    assert use.calls >= 1
    assert use.nanoseconds > 0


def test_each_function_has_its_own_numbers(rows: tr.Table) -> None:
    """Two functions in one operator, and what an operator takes is at least what its functions take."""
    seen = seen_of(rows.select(x=tr.call(halved, tr.col("n")), y=tr.call(asked, tr.col("n"))))
    assert set(used(seen)) == {"halved", "asked"}
    (operator,) = [o for o in seen.operators if o.functions]
    assert operator.busy_seconds >= sum(u.nanoseconds for u in operator.functions.values()) / 1e9
    text, _ = Exposition(lambda: [seen]).write("")
    labels = f'{{function="halved",job_name="j",operator="{operator.name}"}}'
    assert f"tailrace_udf_failed_rows_total{labels} 1.0" in text.decode()


def test_no_series_without_functions(rows: tr.Table) -> None:
    seen = seen_of(rows.select("n"))
    assert not [s for s in samples(seen) if s.metric.name.startswith("udf")]
