"""The box between a client's thread and a reader."""

from __future__ import annotations

import threading

import polars as pl
import pytest

from tailrace.connectors.base import Limit
from tailrace.connectors.inbox import Inbox, Message, block
from tailrace.errors import TransientError

SOON = Limit(wait_seconds=0.01)


def test_messages_come_in_order_by_partition_up_to_the_limit() -> None:
    box = Inbox()
    for i in range(4):
        assert box.put("ab"[i % 2], Message(b"x", i))
    assert {p: [m.position for m in ms] for p, ms in box.take(Limit(rows=3)).items()} == {"a": [0, 2], "b": [1]}
    assert {p: [m.position for m in ms] for p, ms in box.take(SOON).items()} == {"b": [3]}
    assert box.take(SOON) == {}


def test_who_puts_waits_for_room() -> None:
    box = Inbox(rows=1)
    assert box.put("a", Message(b"1", 1))
    assert not box.room
    putting = threading.Thread(target=box.put, args=("a", Message(b"2", 2)))
    putting.start()
    putting.join(0.1)
    assert putting.is_alive()
    assert [m.position for m in box.take(SOON)["a"]] == [1]
    putting.join(5)
    assert not putting.is_alive()
    assert box.waiting == 1


def test_closing_wakes_who_waits() -> None:
    box = Inbox(size=1)
    box.put("a", Message(b"1", 1))
    told: list[bool] = []
    putting = threading.Thread(target=lambda: told.append(box.put("a", Message(b"2", 2))))
    putting.start()
    box.close()
    putting.join(5)
    assert told == [False]


def test_a_failure_is_raised_behind_the_rows_and_once() -> None:
    box = Inbox()
    box.put("a", Message(b"1", 1))
    box.fail(TransientError("cut"))
    assert box.take(SOON)
    with pytest.raises(TransientError, match="cut"):
        box.take(SOON)
    assert box.take(SOON) == {}


def test_a_block_has_all_that_was_asked_for() -> None:
    given = [
        Message(b"1", 7, 3, b"k", (("a", b"old"), ("a", b"new")), {"id": "x"}),
        Message(None, 8, 4, None, (), {"id": None}),
    ]
    made = block("q", given, {"id": pl.String()}, keys=True, headers=True)
    assert made.position == 8
    assert made.offsets is not None
    assert made.offsets.tolist() == [3, 4]
    assert not isinstance(made.values, pl.DataFrame)
    assert [made.values.row(i) for i in range(2)] == [b"1", None]
    assert made.keys is not None
    assert [made.keys.row(i) for i in range(2)] == [b"k", None]
    assert made.headers is not None
    assert made.headers.to_list() == [[{"key": "a", "value": b"new"}], []]
    assert made.metadata is not None
    assert made.metadata["id"].to_list() == ["x", None]
    plain = block("q", given)
    assert (plain.keys, plain.metadata, plain.headers) == (None, None, None)


def test_a_client_that_begins_anew_has_not_failed() -> None:
    box = Inbox()
    box.fail(TransientError("cut"))
    box.renew()
    assert box.take(SOON) == {}
