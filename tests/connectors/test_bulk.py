"""What sinks that write by requests share: order, several requests at a time, and rows that are not taken."""

from __future__ import annotations

import threading
from collections.abc import Callable

import polars as pl
import pytest

from tailrace.connectors.base import Refusals, Report
from tailrace.connectors.bulk import TAKEN, WHOLE, Bulk, BulkSink, Outcome, Refused, refuse_changes, split_kinds
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import DataError, TerminalError, TransientError


class Noted(Refusals):
    """Keeps what is refused."""

    tolerates = True

    def __init__(self) -> None:
        self.rows: list[tuple[int, str]] = []

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        self.rows += [(n, code) for n in rows["n"].to_list()]


class Told(BulkSink):
    """Answers each request as it was told."""

    def __init__(self, bulk: Bulk, answer: Callable[[pl.DataFrame], Outcome]) -> None:
        super().__init__(bulk)
        self.answer = answer
        self.taken: list[int] = []
        self.requests: list[list[int]] = []
        self.lock = threading.Lock()
        self.refusals = self.noted = Noted()

    def open(self) -> None:
        """There is nothing to connect to."""

    def check(self) -> Report:
        return Report(True, "")

    def send(self, rows: pl.DataFrame) -> Outcome:
        numbers = rows["n"].to_list()
        outcome = self.answer(rows)
        with self.lock:
            self.requests.append(numbers)
            not_taken = {r.row for r in outcome.refused} | set(outcome.again)
            self.taken += [n for i, n in enumerate(numbers) if i not in not_taken]
        return outcome


def batch(*numbers: int) -> pl.DataFrame:
    return pl.DataFrame({"n": numbers, "key": [n % 3 for n in numbers]})


def takes_all(_: pl.DataFrame) -> Outcome:
    return TAKEN


def test_rows_are_cut_into_requests_that_go_in_order() -> None:
    sink = Told(Bulk(rows=2, in_flight=4), takes_all)
    sink.write(batch(1, 2, 3))
    sink.write(batch(4, 5))
    sink.prepare(1)
    assert sink.requests == [[1, 2], [3, 4], [5]]
    sink.flush()
    assert len(sink.requests) == 3


def test_requests_are_bounded_in_bytes() -> None:
    sink = Told(Bulk(rows=100, bytes=64), takes_all)
    sink.write(batch(*range(20)))
    sink.flush()
    assert len(sink.requests) == 5  # 16 bytes a row
    assert sink.taken == list(range(20))


def test_it_is_full_when_it_has_enough_for_all_requests() -> None:
    sink = Told(Bulk(rows=2, in_flight=2), takes_all)
    sink.write(batch(1, 2, 3))
    assert not sink.full
    sink.write(batch(4))
    assert sink.full
    sink.flush()
    assert not sink.full


def test_within_a_key_the_order_stays_with_several_requests_at_a_time() -> None:
    sink = Told(Bulk(rows=5, in_flight=4, order=("key",)), takes_all)
    sink.write(batch(*range(60)))
    sink.flush()
    assert sorted(sink.taken) == list(range(60))
    for key in range(3):
        of_key = [n for n in sink.taken if n % 3 == key]
        assert of_key == sorted(of_key)


def test_without_an_order_requests_are_under_way_together() -> None:
    together = threading.Barrier(3, timeout=10)

    def meets(_: pl.DataFrame) -> Outcome:
        together.wait()  # breaks unless three requests are here at once
        return TAKEN

    sink = Told(Bulk(rows=1, in_flight=3, order=None), meets)
    sink.write(batch(1, 2, 3))
    sink.flush()
    assert sorted(sink.taken) == [1, 2, 3]
    sink.close()


def test_of_a_key_only_the_last_row_is_sent() -> None:
    sink = Told(Bulk(key=("key",)), takes_all)
    sink.write(batch(1, 2, 3))
    sink.write(batch(4))
    sink.flush()
    assert sink.taken == [2, 3, 4]


def test_rows_that_are_throttled_come_again_before_the_next_ones() -> None:
    answers = [Outcome(again=[2, 1], why=TransientError("slow down")), TAKEN, TAKEN]
    sink = Told(Bulk(rows=3), lambda _: answers.pop(0))
    sink.write(batch(1, 2, 3, 4))
    with pytest.raises(TransientError, match="slow down"):
        sink.flush()
    assert sink.taken == [1]
    sink.write(batch(5))
    sink.flush()
    assert sink.taken == [1, 2, 3, 4, 5]


def test_a_request_without_an_answer_comes_again_whole() -> None:
    failures = [TransientError("away")]

    def answer(_: pl.DataFrame) -> Outcome:
        if failures:
            raise failures.pop()
        return TAKEN

    sink = Told(Bulk(rows=2), answer)
    sink.write(batch(1, 2, 3))
    with pytest.raises(TransientError, match="away"):
        sink.prepare(1)
    sink.prepare(1)
    assert sink.taken == [1, 2, 3]


def test_refused_rows_are_told_one_by_one() -> None:
    sink = Told(Bulk(), lambda _: Outcome(refused=[Refused(1, "mapping", "not a number")]))
    sink.write(batch(1, 2, 3))
    sink.flush()
    assert (sink.taken, sink.noted.rows) == ([1, 3], [(2, "mapping")])


def test_a_row_for_which_a_whole_request_is_refused_is_found() -> None:
    def answer(rows: pl.DataFrame) -> Outcome:
        if 6 in rows["n"].to_list():
            raise DataError("too large")
        return TAKEN

    sink = Told(Bulk(order=WHOLE), answer)
    sink.write(batch(*range(10)))
    sink.flush()
    assert sink.taken == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    assert sink.noted.rows == [(6, "refused")]


def test_kinds_are_split_and_changes_without_a_key_are_refused() -> None:
    kinds = [RowKind.INSERT, RowKind.UPDATE_AFTER, RowKind.DELETE]
    rows = batch(1, 2, 3).with_columns(pl.Series(KIND, [int(k) for k in kinds], pl.Int8))
    put, gone = split_kinds(rows)
    assert (put["n"].to_list(), gone["n"].to_list()) == ([1, 2], [3])
    assert KIND not in put.columns
    with pytest.raises(TerminalError, match="no key"):
        refuse_changes(rows, "t")
