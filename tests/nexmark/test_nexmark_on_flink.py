"""The oracles are right: real Flink gives the same rows for the same events and the same SQL."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import nexmark_oracles as oracles
import nexmark_patterns as patterns
import polars as pl
import pytest
from cases import SETTINGS, Row, statements
from flink_gateway import Gateway, RefusedError
from flink_values import rows_of
from nexmark_events import Auction, auction, shape

from tailrace.bench.nexmark import queries
from tailrace.connectors.nexmark.shape import Shape

FLINK = os.environ.get("TAILRACE_TEST_FLINK", "")
REFUSED = {"q6": "Non-time attribute sort is not supported for bounded OVER window"}
"""What Flink can't run, and how it says so; our own oracle alone judges these."""
BY_THE_CLOCK = ("q12", "q13")
"""Queries over processing time: Flink ends with its input before a window does, and its files can't be looked up in."""
SHAPES = {
    "slow": (shape(), 5000),
    "dense": (shape(rate=20_000, group=50), 4000),
    "morning": (shape("2015-07-15 06:59:50", rate=1000, group=50), 5000),
}

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not FLINK, reason="Flink: TAILRACE_TEST_FLINK names no SQL Gateway (tests/services/flink.sh start)"
    ),
]


@pytest.fixture(scope="module", params=SHAPES)
def given(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Auction, Path]:
    """Make events, also as a file for Flink."""
    of: Shape
    of, count = SHAPES[request.param]
    made = auction(of, count)
    path = tmp_path_factory.mktemp("nexmark") / "events.json"
    for folder in path.parents[:3]:
        folder.chmod(0o755)  # the cluster may be another user's
    made.events.with_columns(_with_texts(made.events, name) for name in ("person", "auction", "bid")).write_ndjson(path)
    return made, path


def _with_texts(events: pl.DataFrame, name: str) -> pl.Expr:
    """Write the times of a ROW as SQL does."""
    fields = pl.DataFrame(events[name].struct.unnest()).schema
    times = [n for n, kind in fields.items() if kind == pl.Datetime("ms")]
    texts = [pl.field(n).dt.strftime("%Y-%m-%d %H:%M:%S%.3f") for n in times]
    return pl.when(pl.col(name).is_not_null()).then(pl.col(name).struct.with_fields(texts)).alias(name)


@contextmanager
def session(query: str, path: Path) -> Iterator[tuple[Gateway, str]]:
    """Declare events and the query's table on Flink; give the query itself."""
    declared, _, select = queries.text(query).partition("INSERT INTO")
    script = (queries.text("events") + declared).replace("${SINK}", "'connector' = 'blackhole'")
    script = script.replace("${SOURCE}", f"'connector' = 'filesystem', 'path' = '{path}', 'format' = 'json'")
    script = script.replace("${FILES}", f"'connector' = 'filesystem', 'path' = '{path.parent}/q10', 'format' = 'csv'")
    with Gateway(FLINK, SETTINGS) as gateway:
        for statement in statements(script):
            gateway.run(statement)
        yield gateway, select.partition("\n")[2].strip().rstrip(";")


@pytest.mark.parametrize("query", [q for q in queries.NAMES if q not in REFUSED and q not in BY_THE_CLOCK])
def test_flink_agrees(query: str, given: tuple[Auction, Path]) -> None:
    """What stands at the end on Flink is what the oracle computes."""
    events, path = given
    oracle: Callable[[Auction], pl.DataFrame] = getattr(patterns if query.startswith("cep") else oracles, query)
    with session(query, path) as (gateway, select):
        rows = rows_of(gateway.run(select))

    assert final(rows) == Counter(tuple(map(text, row)) for row in oracle(events).iter_rows())


@pytest.mark.parametrize("query", REFUSED)
def test_flink_refuses(query: str, given: tuple[Auction, Path]) -> None:
    """A query without Flink's rows is one that it refuses."""
    with session(query, given[1]) as (gateway, select), pytest.raises(RefusedError, match=REFUSED[query]):
        gateway.run(select)


def final(rows: list[Row]) -> Counter[tuple[str | None, ...]]:
    """Give the rows that stand at the end; without retractions the first column is the key of what is put out."""
    values = [tuple(map(text, row.values.values())) for row in rows]
    ops = [row.op for row in rows]
    if "+U" in ops and "-U" not in ops:
        return Counter({v[0]: v for v in values}.values())
    there: Counter[tuple[str | None, ...]] = Counter()
    for op, row in zip(ops, values, strict=True):
        there[row] += 1 if op in ("+I", "+U") else -1
    assert all(count >= 0 for count in there.values())
    return +there


def text(value: Any) -> str | None:
    """Write a value as the gateway does."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")
    return None if value is None else str(value)
