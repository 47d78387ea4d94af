"""Queues, bells, halts and waits between tries."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tailrace.backoff import Backoff
from tailrace.errors import TerminalError, TransientError
from tailrace.runtime.halt import Halt
from tailrace.runtime.queues import Bell, ByteQueue


def test_a_full_queue_makes_its_writer_wait() -> None:
    """`put` returns when there is room again; the order stays."""
    queue: ByteQueue[int] = ByteQueue(10, Halt())
    assert queue.put(1, 6)
    writer = threading.Thread(target=queue.put, args=(2, 6))
    writer.start()
    time.sleep(0.02)
    assert (len(queue), queue.bytes, queue.waited) == (1, 6, 1)
    assert queue.take() == 1
    writer.join(5)
    assert (queue.take(), queue.take(), queue.bytes) == (2, None, 0)


def test_an_item_larger_than_the_queue_fits_an_empty_one() -> None:
    """Otherwise one large row would stop a job for ever."""
    queue: ByteQueue[int] = ByteQueue(10, Halt())
    assert queue.put(1, 1000)


def test_a_halt_wakes_a_waiting_writer() -> None:
    """No thread waits for a job that is over."""
    halt = Halt()
    queue: ByteQueue[int] = ByteQueue(10, halt)
    queue.put(1, 10)
    outcome: list[bool] = []
    writer = threading.Thread(target=lambda: outcome.append(queue.put(2, 10)))
    writer.start()
    halt.set(ValueError("first"))
    writer.join(5)
    assert outcome == [False]


def test_the_first_failure_counts() -> None:
    """What fails because another thread failed does not hide the cause."""
    halt = Halt()
    halt.set(ValueError("first"))
    halt.set(ValueError("second"))
    assert str(halt.failure) == "first"


def test_who_comes_late_to_a_halt_is_woken_at_once() -> None:
    """A thread that starts while the job ends does not wait."""
    halt = Halt()
    halt.set()
    bell = Bell(halt)
    assert bell.wait(10)


def test_a_ring_is_not_lost() -> None:
    """A ring before the wait ends the wait; the next one waits again."""
    bell = Bell(Halt())
    bell.ring()
    assert bell.wait(10)
    assert not bell.wait(0.001)


def test_waits_grow_and_have_an_end() -> None:
    """Each wait is about twice the one before, none is longer than the longest, and at the limit it gives up."""
    backoff = Backoff(first=1, longest=10, limit=100, rng=random.Random(1))  # noqa: S311  jitter is no secret
    error = TransientError("no answer")
    waits = [backoff.failed("it", error, float(n)) for n in range(6)]
    for wait, most in zip(waits, (1, 2, 4, 8, 10, 10), strict=True):
        assert most / 2 <= wait <= most
    with pytest.raises(TerminalError, match=r"it has been away for 100 s \(7 tries\): no answer"):
        backoff.failed("it", error, 100.0)
    backoff.reset()
    assert backoff.failed("it", error, 1000.0) <= 1


def test_waiting_is_timed() -> None:
    """Also while it goes on."""
    queue: ByteQueue[str] = ByteQueue(10, Halt())
    queue.put("a", 10)
    assert queue.waiting.seconds == 0
    writer = threading.Thread(target=lambda: queue.put("b", 10))
    writer.start()
    end = time.monotonic() + 5
    while queue.waiting.seconds < 0.05 and time.monotonic() < end:
        time.sleep(0.01)
    meanwhile = queue.waiting.seconds
    queue.take()
    writer.join(5)
    assert 0.05 <= meanwhile <= queue.waiting.seconds
    assert queue.waiting.seconds == queue.waiting.seconds
