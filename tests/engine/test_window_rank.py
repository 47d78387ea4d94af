"""Top-N by window against a computation row by row: any batches, ties, late rows, local time, restarts."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import polars as pl
import pytest
import timed_runs as timed

from tailrace.engine.local_time import LocalTime
from tailrace.engine.operators.window_rank import WindowRankOperator
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Scan, SortKey, WindowRank
from tailrace.schema import BIGINT, Field, Schema, timestamp

SIZE = 10
EDGED = Schema((*timed.INPUT.fields, Field("window_end", timestamp(3))))
SCAN = Scan(schema=EDGED, table=Table("t", (), EDGED, {}))
VALUE = SortKey("v", descending=True, nulls_last=True)
TIME = SortKey("ts", descending=True, nulls_last=True)
ZONE = "Asia/Kolkata"


def end(time: int) -> int:
    """Give the end of the window of a time."""
    return time // SIZE * SIZE + SIZE


def node(start: int, most: int, *, latest: bool, local: bool) -> WindowRank:
    """Make the node; with `latest` it keeps the last rows by time."""
    schema = Schema((*EDGED.fields, Field("rn", BIGINT)))
    return WindowRank(
        schema=schema,
        input=SCAN,
        partition=("window_end", "k"),
        order=(TIME,) if latest else (VALUE,),
        start=start,
        end=most,
        number="rn",
        edge="window_end",
        local=local,
        latest=latest,
    )


def expected(given: list[timed.Row], plan: WindowRank, delay: int) -> tuple[Counter[tuple[int, int]], int]:
    """Give number and place of the best rows of each window, and how many rows were late."""
    groups: dict[tuple[int, str | None], list[timed.Row]] = {}
    late = 0
    for row, watermark in zip(given, timed.watermarks(given, delay), strict=False):
        if end(row[3]) - 1 <= watermark:
            late += 1
        else:
            groups.setdefault((end(row[3]), row[1]), []).append(row)
    out: Counter[tuple[int, int]] = Counter()
    assert plan.end is not None
    for group in groups.values():
        group.sort(key=lambda r: (-r[3], -r[0]) if plan.latest else (-(r[2] or 0), r[0]))
        out.update((row[0], place) for place, row in enumerate(group, 1) if plan.start <= place <= plan.end)
    return out, late


@pytest.fixture(autouse=True)
def _crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    timed.crowd(monkeypatch)


@pytest.mark.parametrize("size", [1, 5, 200])
@pytest.mark.parametrize("delay", [0, 12])
@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("latest", [False, True])
def test_the_best_of_each_window(size: int, delay: int, *, latest: bool, local: bool) -> None:
    """Each window is put out once with its best rows, and rows that come after that are late."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)  # noqa: S311 - test data
    given = timed.rows(rng, 200)
    plan = node(*((1, 1) if latest else rng.choice([(1, 1), (1, 3), (2, 3)])), latest=latest, local=local)
    made: list[WindowRankOperator] = []

    def make() -> WindowRankOperator:
        made.append(WindowRankOperator(plan, ZONE))
        return made[-1]

    ends = LocalTime(ZONE if local else "UTC").local(np.array([end(row[3]) for row in given]))
    edges = pl.Series("window_end", ends).cast(pl.Datetime("ms"))
    out, late = timed.run(make, given, delay, size, [edges])
    got = Counter((n, p) for batch in out for n, p in batch.select("id", "rn").iter_rows())
    assert (got, late) == expected(given, plan, delay)
    assert made[-1].state_rows == 0
