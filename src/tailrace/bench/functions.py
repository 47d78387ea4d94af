"""Functions in Python beside the same expression in SQL, from batches in memory, on one thread."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

import tailrace as tr
from tailrace.clock import SystemClock
from tailrace.engine.executor import Executor, Input
from tailrace.errors import TerminalError
from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Query

BATCH = 65_536
GROUPS = 1000
IN_FLIGHT = 1000
"""So many calls of the async function are to wait at a time."""

MOST_CALLS = 50_000
_WAIT_SECONDS = 0.01
EXPRESSIONS = {
    "sql udf": "SELECT id, n * 3 + 1 AS x FROM t",
    "column udf": "SELECT id, by_column(n) AS x FROM t",
    "scalar udf": "SELECT id, by_row(n) AS x FROM t",
    "async udf": "SELECT id, by_waiting(n) AS x FROM t",
    "group udf": "SELECT g, by_group(n) AS x FROM t GROUP BY g",
    "column process": "SELECT g, x FROM sums_by_column(input => TABLE t PARTITION BY g)",
    "row process": "SELECT g, x FROM sums_by_row(input => TABLE t PARTITION BY g)",
}
"""The queries by the name of their benchmark."""

_SCRIPT = """
CREATE FUNCTION by_column AS 'tailrace.bench.functions:by_column' LANGUAGE PYTHON;
CREATE FUNCTION by_row AS 'tailrace.bench.functions:by_row' LANGUAGE PYTHON;
CREATE FUNCTION by_waiting AS 'tailrace.bench.functions:by_waiting' LANGUAGE PYTHON;
CREATE FUNCTION by_group AS 'tailrace.bench.functions:ByGroup' LANGUAGE PYTHON;
CREATE FUNCTION sums_by_column AS 'tailrace.bench.functions:SumsByColumn' LANGUAGE PYTHON;
CREATE FUNCTION sums_by_row AS 'tailrace.bench.functions:SumsByRow' LANGUAGE PYTHON;
CREATE TABLE t (id BIGINT, g BIGINT, n BIGINT) WITH ('connector' = 'datagen');
"""


@tr.udf(result_type="BIGINT", input_types=["BIGINT"])
def by_column(n: pl.Series) -> pl.Series:
    """Compute on whole columns."""
    return n * 3 + 1


@tr.udf(scalar=True)
def by_row(n: int) -> int:
    """Compute on the value of one row."""
    return n * 3 + 1


@dataclass
class Flight:
    """The calls that wait now, and the most that did."""

    now: int = 0
    most: int = 0

    def up(self) -> None:
        """Count a call that begins."""
        self.now += 1
        self.most = max(self.most, self.now)


_flight = Flight()


@tr.udf(concurrency=IN_FLIGHT)
async def by_waiting(n: int) -> int:
    """Wait as for a service that answers within 10 ms."""
    _flight.up()
    await asyncio.sleep(_WAIT_SECONDS)
    _flight.now -= 1
    return n * 3 + 1


@tr.udaf(result_type="BIGINT", input_types=["BIGINT"])
class ByGroup:
    """A sum, on the rows of each group that come together."""

    def create(self) -> int:
        """Give the sum of nothing."""
        return 0

    def accumulate(self, acc: int, n: pl.Series) -> int:
        """Add the values of some rows."""
        return acc + int(n.sum())

    def result(self, acc: int) -> int:
        """Give the sum."""
        return acc


@tr.process(result_type={"x": "BIGINT"})
class SumsByColumn:
    """The sum up to each row of its group, on whole batches."""

    total: pl.Series = tr.value_state(0, type="BIGINT")

    def on_batch(self, rows: pl.DataFrame, ctx: tr.BatchContext) -> pl.Series:
        """Add the rows of a batch."""
        n, starts = rows["n"].to_numpy(), ctx.starts
        sums = np.cumsum(n)
        before = sums[starts] - n[starts] - self.total.to_numpy()
        sums -= before[ctx.key]
        self.total = pl.Series(sums[ctx.ends - 1])
        return pl.Series(sums)


@tr.process(result_type={"x": "BIGINT"})
class SumsByRow:
    """The same, row by row."""

    total: int = tr.value_state(0)

    def on_row(self, row: Any, ctx: tr.Context) -> int:
        """Add a row."""
        self.total += row.n
        return self.total


def measure(name: str, rows: int) -> float:
    """
    Give the seconds that `rows` rows take, the best of three runs after one that warms up.

    Raises:
        TerminalError: the values are not those of NumPy, or fewer calls waited at a time than should.
    """
    _flight.most = 0
    data = _batches(rows)
    runs = [_run(EXPRESSIONS[name], data) for _ in range(4)]
    _check(name, runs[0][1], pl.concat(data))
    if name == "async udf" and _flight.most != min(rows, IN_FLIGHT):
        raise TerminalError(f"{_flight.most} calls waited at a time, not {IN_FLIGHT}", hint="please report this")
    return min(seconds for seconds, _ in runs[1:])


def _batches(rows: int) -> list[pl.DataFrame]:
    rng = np.random.default_rng(7)
    frame = pl.DataFrame({"id": np.arange(rows), "g": rng.integers(0, GROUPS, rows), "n": rng.integers(0, 10**6, rows)})
    return [frame.slice(i, BATCH) for i in range(0, rows, BATCH)]


def _run(query: str, data: list[pl.DataFrame]) -> tuple[float, list[pl.DataFrame]]:
    statement = Session().bind(f"{_SCRIPT}{query};", "bench.sql")[-1]
    assert isinstance(statement, Query)
    executor = Executor(optimize((statement.plan,)), {}, SystemClock())
    (scan,) = executor.scans
    names = list(executor.scans[scan].schema.names)
    inputs = [[Input(scan, "0", batch.select(names))] for batch in data]
    out: list[pl.DataFrame] = []
    start = time.perf_counter()
    for given in inputs:
        out += [batch for _, batch in executor.tick(given).outputs]
    return time.perf_counter() - start, out


def _check(name: str, out: list[pl.DataFrame], given: pl.DataFrame) -> None:
    """Compare with what NumPy and Polars give: the value of each row, the last of each group, or the sum up to each row."""
    if name == "group udf":
        last = pl.concat(out).filter(pl.col("$kind").is_in([0, 2])).unique("g", keep="last").sort("g")
        want = np.bincount(given["g"].to_numpy(), given["n"].to_numpy(), GROUPS).astype(np.int64)
        same = np.array_equal(last["x"].to_numpy(), want[last["g"].to_numpy()])
    elif name.endswith("process"):
        same = pl.concat(out)["x"].equals(given.select(x=pl.col("n").cum_sum().over("g"))["x"])
    else:
        same = np.array_equal(pl.concat(out)["x"].to_numpy(), given["n"].to_numpy() * 3 + 1)
    if not same:
        raise TerminalError(f"the values of '{name}' are not those of NumPy", hint="please report this")
