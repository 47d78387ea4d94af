"""What a function of the user does beside its work: it prints, or it hangs."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar

from tailrace.user_functions.declarations import Declaration
from tailrace.user_functions.faults import stopped

T = TypeVar("T")


class _Router:
    """Stands for standard output: what the threads of user code write goes to standard error, all else through."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.threads: set[int] = set()

    def write(self, text: str) -> int:
        return (sys.stderr if threading.get_ident() in self.threads else self._out).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


class OvertimeError(Exception):
    """A thread takes longer than it may."""

    def __init__(self, thread: threading.Thread) -> None:
        super().__init__(thread.name)
        self.thread = thread


_lock = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what this thread prints away from standard output, where a job's rows may go."""
    thread = threading.get_ident()
    with _lock:
        router: Any = sys.stdout if isinstance(sys.stdout, _Router) else _Router(sys.stdout)
        fresh = thread not in router.threads
        router.threads.add(thread)
        sys.stdout = router
    try:
        yield
    finally:
        with _lock:
            if fresh:
                router.threads.discard(thread)
            if not router.threads and sys.stdout is router:
                sys.stdout = router._out  # noqa: SLF001  its own


@contextmanager
def without_collections() -> Iterator[None]:
    """
    Look for no garbage in cycles meanwhile.

    The rows of a batch are new objects that all live on for a moment: enough for Python to go through all that there is.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def in_thread(work: Callable[[], T], name: str, timeout: float | None = None) -> T:
    """
    Do the work in a thread of its own, and wait for what it gives or raises.

    Raises:
        OvertimeError: it takes longer than `timeout` seconds.
    """
    done: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            with quiet():
                done.append(work())
        except BaseException as error:  # noqa: BLE001  handed to the thread that waits
            raised.append(error)

    thread = threading.Thread(target=run, name=f"tailrace-{name}", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise OvertimeError(thread)
    if raised:
        raise raised[0]
    return done[0]


def within(declaration: Declaration[..., Any], work: Callable[[], T]) -> T:
    """
    Do the work within the time-out of a function.

    Raises:
        TerminalError: it takes longer. A thread can't be ended, so that the job ends.
    """
    timeout = declaration.limits.timeout
    if timeout is None:
        with quiet():
            return work()
    try:
        return in_thread(work, declaration.__name__, timeout)
    except OvertimeError as error:
        raise _hangs(declaration, error.thread, timeout) from None


def _hangs(declaration: Declaration[..., Any], thread: threading.Thread, timeout: float) -> Exception:
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001  the way to see where a thread is
    line = None
    while frame is not None:
        if line is None and frame.f_code.co_filename == declaration.place.file:
            line = frame.f_lineno
        frame = frame.f_back
    hint = "mend what it waits for, or give it more time with timeout="
    return stopped(declaration, f"took longer than {timeout:g} s for one batch of rows", hint, line)
