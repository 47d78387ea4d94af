"""Calls that the engine's thread does for others."""

from __future__ import annotations

import threading

import pytest

from tailrace.errors import TransientError
from tailrace.runtime.between_ticks import BetweenTicks


def test_a_call_is_done_by_the_thread_that_does_calls() -> None:
    """The one who asks waits for it, and gets what it gives or raises."""
    rung = threading.Event()
    calls = BetweenTicks(rung.set)

    def work() -> None:
        for _ in range(2):
            rung.wait(5)
            rung.clear()
            calls.do()

    worker = threading.Thread(target=work)
    worker.start()
    assert calls.ask(threading.get_ident, 5) == worker.ident
    with pytest.raises(ZeroDivisionError):
        calls.ask(lambda: 1 // 0, 5)
    worker.join(5)


def test_nobody_waits_for_ever() -> None:
    """A call that was given up is not done later; after the end none is taken."""
    calls, done = BetweenTicks(lambda: None), []
    with pytest.raises(TransientError, match=r"busy for 0\.01 s"):
        calls.ask(lambda: done.append(1), 0.01)
    calls.do()
    assert not done
    waiting = calls.put(lambda: done.append(2))
    calls.close()
    assert waiting.cancelled()
    with pytest.raises(TransientError, match="ended"):
        calls.ask(lambda: done.append(3), 5)
    assert not done
