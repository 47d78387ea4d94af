"""Window joins against a computation pair by pair: any batches, restarts, all kinds; late rows, local time."""

from __future__ import annotations

import random

import polars as pl
import pytest
import timed_pairs as timed
from timed_pairs import Item
from timed_runs import crowd

from tailrace.engine.batch import MIN_WATERMARK
from tailrace.engine.local_time import LocalTime
from tailrace.engine.operator import Times
from tailrace.engine.operators.window_join import WindowJoinOperator
from tailrace.plan.nodes import JoinKey, JoinKind, WindowJoin, WindowKind, WindowSpec

SIZE = 10


def node(kind: JoinKind, *, less: bool = False, keyed: bool = True, local: bool = False) -> WindowJoin:
    """Make the node; the time of a row is the end of its window."""
    return WindowJoin(
        schema=timed.output(kind),
        left=timed.SCANS[0],
        right=timed.SCANS[1],
        kind=kind,
        keys=(JoinKey("l_k", "r_k"),) if keyed else (),
        condition=timed.LESS if less else None,
        window=WindowSpec(WindowKind.TUMBLE, "ts", SIZE, SIZE),
        edges=("l_ts", "r_ts"),
        local=local,
    )


def in_windows(side: timed.Stream) -> timed.Stream:
    """Give the rows with the ends of their windows instead of their times."""
    return timed.Stream([(*row[:3], row[3] // SIZE * SIZE + SIZE) for row in side.rows], side.marks)


def same_window(x: Item, y: Item) -> bool:
    """Tell whether two rows are in one window."""
    return x[3] == y[3]


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("less", [False, True])
@pytest.mark.parametrize("kind", timed.KINDS)
def test_the_rows_of_a_window_meet(kind: JoinKind, *, less: bool, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pair of a window comes once, and each row without one once, however the rows came."""
    crowd(monkeypatch)
    rng = random.Random(f"{kind}{less}{size}")  # noqa: S311  a fixed seed
    sides = in_windows(timed.stream(rng, 90, 6, 5)), in_windows(timed.stream(rng, 70, 6, 5))

    def meets(x: Item, y: Item) -> bool:
        fits = not less or (x[2] is not None and y[2] is not None and x[2] < y[2])
        return fits and same_window(x, y)

    out, last = timed.run(lambda: WindowJoinOperator(node(kind, less=less), "UTC"), sides, size)
    wanted = timed.expected(kind, (sides[0].rows, sides[1].rows), meets)
    assert timed.found(out) == wanted
    assert len(wanted) > 10
    assert (last.state_rows, last.late_rows) == (0, 0)


def operator(plan: WindowJoin, zone: str = "UTC") -> WindowJoinOperator:
    """Make the operator ready."""
    made = timed.started(lambda: WindowJoinOperator(plan, zone))
    assert isinstance(made, WindowJoinOperator)
    return made


def come(running: WindowJoinOperator, port: int, rows: list[Item], watermark: int = MIN_WATERMARK) -> None:
    """Let rows of a side come; nothing is put out before the window ends."""
    assert running.process(port, timed.frame(port, rows), Times(watermark)) == []


def fired(running: WindowJoinOperator, watermark: int) -> list[tuple[int | None, ...]]:
    """Let time come so far; give what is put out."""
    return [r for b in running.advance(Times(watermark)) for r in b.rows()]


def test_a_window_is_put_out_at_its_end() -> None:
    """Nothing comes before the watermark has reached the last millisecond of a window; then all of it, and it is forgotten."""
    running = operator(node(JoinKind.FULL, keyed=False))
    come(running, 0, [(1, None, 1, 20), (2, "a", 1, 10), (3, "a", 1, 10)])
    come(running, 1, [(7, "b", 1, 10), (8, "b", 1, 30)])
    assert fired(running, 8) == []
    assert fired(running, 9) == [(2, 7), (3, 7)]
    assert running.state_rows == 2
    assert fired(running, 29) == [(1, None), (None, 8)]
    assert running.state_rows == 0


def test_a_late_row_is_rejected() -> None:
    """A row whose window was put out is counted and left to the policy of its table, also after a restart."""
    running = operator(node(JoinKind.LEFT))
    come(running, 0, [(1, "a", 1, 10)])
    assert fired(running, 9) == [(1, None)]
    come(running, 0, [(2, "a", 1, 10), (3, "a", 1, 20)], 9)
    assert running.late_rows == 1
    (rejected,) = running.outbox.rejected
    assert (rejected.stage, rejected.rows["l_id"].to_list()) == ("late", [2])
    again = operator(node(JoinKind.LEFT))
    delta = running.snapshot()
    again.restore([delta])
    come(again, 0, [(4, "a", 1, 10)])
    assert (again.late_rows, fired(again, 19)) == (2, [(3, None)])


def test_a_null_key_meets_nothing() -> None:
    """Rows with a NULL key wait for the end of their window too, and stand alone then."""
    running = operator(node(JoinKind.FULL))
    come(running, 0, [(1, None, 1, 10)])
    come(running, 1, [(7, None, 1, 10)])
    assert fired(running, 5) == []
    assert fired(running, 9) == [(1, None), (None, 7)]
    inner = operator(node(JoinKind.INNER))
    come(inner, 0, [(1, None, 1, 10)])
    assert inner.state_rows == 0


def test_windows_in_local_time() -> None:
    """The end of a window over TIMESTAMP_LTZ is a local time; the watermark is not."""
    zone = "Asia/Kolkata"
    running = operator(node(JoinKind.INNER, local=True), zone)
    end = LocalTime(zone).local_one(10)
    come(running, 0, [(1, "a", 1, end)])
    come(running, 1, [(7, "a", 1, end)])
    assert fired(running, 8) == []
    assert fired(running, 9) == [(1, 7)]


def test_many_pairs_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window with more pairs than are looked at in one go gives all of them."""
    monkeypatch.setattr("tailrace.engine.operators.window_join.PAIRS", 7)
    running = operator(node(JoinKind.INNER, keyed=False))
    for port in (0, 1):
        come(running, port, [(i, "a", i % 3, 10) for i in range(20)])
    batches = running.advance(Times(9))
    assert pl.concat(batches).unique().height == 400
