"""Each query gives the rows of its oracle, however the events are cut, and with restarts in the middle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import nexmark_oracles as oracles
import nexmark_patterns as patterns
import nexmark_runs as runs
import polars as pl
import pytest
from nexmark_events import Auction, auction, shape

from tailrace.bench.nexmark import queries

CLOCKED = "q12"
TIES = ("q4", "q5", "q16", "q7", "q8", "q9", "q11", "q18", "q19", "cep0", "cep1", "cep2", "cep3")
"""Queries in which the order of rows with the same time or price may show."""


@pytest.fixture(scope="module")
def slow() -> Auction:
    """Events with many windows, and no two at the same time."""
    return auction(shape())


@pytest.fixture(scope="module")
def day() -> Auction:
    """Events from the night to the afternoon."""
    return auction(shape("2015-07-15 05:30:00", rate=1))


@pytest.fixture(scope="module")
def dense() -> Auction:
    """Events of which many have the same time, a little out of order."""
    return auction(shape(rate=20_000, group=50))


def expected(query: str, of: Auction) -> Counter[runs.Row]:
    """Give the oracle's rows."""
    oracle: Callable[[Auction], pl.DataFrame] = getattr(patterns if query.startswith("cep") else oracles, query)
    return Counter(oracle(of).iter_rows())


def check(query: str, of: Auction, sizes: Iterator[int], restart_every: int = 0) -> None:
    """Run a query and compare what stands at the end."""
    run = runs.Run(query, of.events, sizes, restart_every)
    got = runs.final(run)
    want = expected(query, of) if query != CLOCKED else clocked(of, run.ticks)

    assert got == want
    assert sum(want.values())
    assert run.restarts == (len(run.ticks) // restart_every if restart_every else 0)


def clocked(of: Auction, ticks: list[tuple[int, int]]) -> Counter[runs.Row]:
    """Give the rows of q12, which depend on when the events came."""
    times = pl.Series([time for time, count in ticks for _ in range(count)])
    start = times.gather(of.bids["number"]) // 10_000 * 10_000
    counts = of.bids.select("bidder", start.alias("start")).group_by("bidder", "start").len()
    edges = ((pl.col("start") + after).cast(pl.Datetime("ms")).alias(f"after{after}") for after in (0, 10_000))
    return Counter(counts.select("bidder", pl.col("len").cast(pl.Int64), *edges).iter_rows())


@pytest.mark.parametrize("query", queries.NAMES)
class TestQuery:
    """One query, in all ways."""

    def test_whole(self, query: str, slow: Auction) -> None:
        """All events in one batch."""
        check(query, slow, runs.constant(1_000_000))

    def test_small_batches(self, query: str, slow: Auction) -> None:
        """Many small batches, with a restart in the middle."""
        check(query, slow, runs.constant(97), restart_every=110)

    def test_random_batches(self, query: str, slow: Auction) -> None:
        """Batches of random sizes, with a restart after every third."""
        check(query, slow, runs.random_sizes(5, 2000), restart_every=3)


@pytest.mark.parametrize("query", TIES)
class TestTies:
    """Rows with the same time count in the order in which they came."""

    def test_whole(self, query: str, dense: Auction) -> None:
        """All events in one batch."""
        check(query, dense, runs.constant(1_000_000))

    def test_small_batches(self, query: str, dense: Auction) -> None:
        """Many small batches, with restarts."""
        check(query, dense, runs.constant(311), restart_every=20)


def test_parts_of_the_day(day: Auction) -> None:
    """Query 14 tells day from night."""
    check("q14", day, runs.constant(1000))

    assert oracles.q14(day)["bidTimeType"].n_unique() == 3


def test_every_query_is_there() -> None:
    """The names are those of the scripts, each of which says in its first line what it computes."""
    scripts = [queries.text(n) for n in queries.NAMES]

    assert len(queries.NAMES) == 28
    assert all(s.startswith("-- ") for s in scripts)
