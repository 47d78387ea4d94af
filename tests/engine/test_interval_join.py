"""Interval joins against a computation pair by pair: any batches, restarts, NULLs, bounds on any side; what is kept and for how long."""

from __future__ import annotations

import random

import pytest
import timed_pairs as timed
from timed_pairs import SCANS, Item, Stream
from timed_runs import crowd

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK
from tailrace.engine.operator import Times
from tailrace.engine.operators.interval_join import IntervalJoinOperator
from tailrace.plan.nodes import IntervalJoin, JoinKey, JoinKind

KINDS = [k for k in JoinKind if not k.left_only]


def node(kind: JoinKind, lower: int, upper: int, *, less: bool = False, processing: bool = False) -> IntervalJoin:
    """Make the node."""
    return IntervalJoin(
        schema=timed.output(kind),
        left=SCANS[0],
        right=SCANS[1],
        kind=kind,
        keys=(JoinKey("l_k", "r_k"),),
        condition=timed.LESS if less else None,
        times=("l_ts", "r_ts"),
        lower=lower,
        upper=upper,
        processing_time=processing,
    )


def operator(plan: IntervalJoin) -> IntervalJoinOperator:
    """Make the operator ready."""
    made = timed.started(lambda: IntervalJoinOperator(plan, "UTC"))
    assert isinstance(made, IntervalJoinOperator)
    return made


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("lower", "upper"), [(-5, 3), (0, 0), (2, 9), (-9, -2), (4, -4)])
def test_rows_meet_within_bounds(
    kind: JoinKind, lower: int, upper: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pair whose times are near comes once, and each row without one once, however the rows came."""
    crowd(monkeypatch)
    rng = random.Random(f"{kind}{lower}{size}")  # noqa: S311  a fixed seed
    less = rng.random() < 0.5
    sides = timed.stream(rng, 90, 6, 5), timed.stream(rng, 70, 6, 5)
    plan = node(kind, lower, upper, less=less)

    def meets(x: Item, y: Item) -> bool:
        fits = not less or (x[2] is not None and y[2] is not None and x[2] < y[2])
        return fits and y[3] + lower <= x[3] <= y[3] + upper

    out, last = timed.run(lambda: IntervalJoinOperator(plan, "UTC"), sides, size)
    wanted = timed.expected(kind, (sides[0].rows, sides[1].rows), meets)
    assert timed.found(out) == wanted
    assert wanted or lower > upper
    assert last.state_rows == 0


def put(running: IntervalJoinOperator, port: int, rows: list[Item], before: int, after: int) -> list[tuple[int, ...]]:
    """Let rows of a side come between two watermarks; give what comes out."""
    running.process(port, timed.frame(port, rows), Times(before))
    return [r for b in running.advance(Times(after)) for r in b.rows()]


def test_a_row_goes_with_its_last_match() -> None:
    """A row is kept while a match may come, and is put out alone at the moment when none can."""
    running = operator(node(JoinKind.LEFT, -10, 0))
    assert put(running, 0, [(1, "a", 1, 100)], MIN_WATERMARK, 109) == []
    assert running.state_rows == 1
    assert [r for b in running.advance(Times(110)) for r in b.rows()] == [(1, None)]
    assert running.state_rows == 0


def test_a_late_row_meets_what_is_there() -> None:
    """As in Flink no row is dropped as late: it meets what is kept, and stands alone at once when nothing may come."""
    running = operator(node(JoinKind.FULL, -10, 10))
    assert put(running, 1, [(7, "a", 1, 100)], MIN_WATERMARK, 105) == []
    assert put(running, 0, [(1, "a", 1, 93), (2, "a", 1, 80)], 105, 106) == [(1, 7), (2, None)]
    assert running.late_rows == 0
    assert running.state_rows == 1 + 0 + 1 - (93 + 10 <= 106)


def test_the_watermark_waits_for_what_is_kept() -> None:
    """What comes out may be as old as the oldest row that is kept, and its time attributes must not be late."""
    running = operator(node(JoinKind.INNER, -10, 3))
    assert running.watermark(Times(100)) == 90
    assert operator(node(JoinKind.INNER, 2, 9)).watermark(Times(100)) == 91
    assert [running.watermark(Times(t)) for t in (MIN_WATERMARK, MAX_WATERMARK)] == [MIN_WATERMARK, MAX_WATERMARK]


def test_processing_time_is_that_of_the_tick() -> None:
    """By processing time rows meet by when they came; who stands alone is put out by the clock, or at the end."""
    running = operator(node(JoinKind.LEFT, -10, 0, processing=True))
    stale = Times(MIN_WATERMARK, 1000)
    running.process(0, timed.frame(0, [(1, "a", 1, 0), (2, "b", 1, 0)]), stale)
    assert running.advance(stale) == []
    assert running.next_timer() == 1011
    later = Times(MIN_WATERMARK, 1010)
    running.process(1, timed.frame(1, [(7, "a", 1, 0)]), later)
    assert [r for b in running.advance(later) for r in b.rows()] == [(1, 7)]
    assert [r for b in running.advance(Times(MIN_WATERMARK, 1011)) for r in b.rows()] == [(2, None)]
    assert running.watermark(Times(55, 1011)) == 55
    running.process(0, timed.frame(0, [(3, "a", 1, 0)]), Times(MIN_WATERMARK, 2000))
    assert [r for b in running.advance(Times(MAX_WATERMARK, 2000)) for r in b.rows()] == [(3, None)]


def test_state_stays_bounded() -> None:
    """Rows, keys and checkpoints do not grow with the stream."""
    running = operator(node(JoinKind.INNER, -10, 10))
    for step in range(0, 5000, 50):
        rows: list[Item] = [(i, f"k{i}", 1, i) for i in range(step, step + 50)]
        for port in (0, 1):
            running.process(port, timed.frame(port, rows), Times(step))
        running.advance(Times(step + 50))
        assert running.state_rows <= 20
        assert running.snapshot() is not None


def test_an_empty_side_costs_nothing() -> None:
    """With no row on one side the rows of the other go with the watermark."""
    sides = Stream([(i, "a", 1, i) for i in range(50)], [MIN_WATERMARK, *range(50)]), Stream([], [MAX_WATERMARK])
    out, last = timed.run(lambda: IntervalJoinOperator(node(JoinKind.RIGHT, -3, 3), "UTC"), sides, 5)
    assert (out, last.state_rows) == ([], 0)
