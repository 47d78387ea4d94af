"""
Where the engine's time goes: by operator and kernel, and by function as a flame graph.

Nothing of it runs unless somebody asks. Then two things look at the engine's thread for some seconds: a sampler of ours that
knows operators and kernels, and pyinstrument, that knows all calls in Python. Compiled kernels have no frames of their own, so a kernel
is known by the call that its caller is at.
"""

from __future__ import annotations

import linecache
import re
import sys
import threading
import time
from collections import Counter
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any

from tailrace.errors import ConfigError, TransientError
from tailrace.runtime.inspection import Inspection

LEAST_SECONDS, MOST_SECONDS = 1.0, 20.0
EVERY_SECONDS = 0.004
WAITING = "(waiting)"
BESIDE = "(between operators)"
PYTHON = "(Python and Polars)"
SMALL = 0.002
"""What has a smaller share of the time is left out of the flame graph."""

_DEEPEST = 80
_CALLED = re.compile(r"\s*((?:\w+\.)*\w+)\s*\(")


@dataclass(frozen=True, slots=True)
class Part:
    """The share of the time that the engine was in an operator, and there in a kernel (or in Python and Polars)."""

    operator: str
    kernel: str
    share: float


@dataclass(frozen=True, slots=True)
class Call:
    """A function in the flame graph: its share of the time, with all that it called."""

    name: str
    place: str
    share: float
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What was seen in so many seconds."""

    seconds: float
    samples: int
    parts: tuple[Part, ...]
    calls: Call | None


class Profiler:
    """Looks at the engine of one job when it is asked to; one look at a time."""

    def __init__(self, asked: Inspection) -> None:
        self._asked = asked
        self._lock = threading.Lock()

    def look(self, seconds: float) -> Profile:
        """
        Look for so many seconds.

        Raises:
            ConfigError: pyinstrument is not installed, or it is too long.
            TransientError: somebody else looks just now, or the engine is busy with one tick.
        """
        if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
            raise ConfigError(f"a profile takes {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds")
        flames = _pyinstrument()
        if not self._lock.acquire(blocking=False):
            raise TransientError("a profile is being taken already")
        try:
            return self._look(seconds, flames)
        finally:
            self._lock.release()

    def _look(self, seconds: float, flames: Any) -> Profile:
        profiler = flames.Profiler(interval=0.001, async_mode="disabled")
        between = self._asked.between
        thread = between.ask(lambda: (profiler.start(), threading.get_ident())[1], MOST_SECONDS)
        counts: Counter[tuple[str, str]] = Counter()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(EVERY_SECONDS)
            frame = sys._current_frames().get(thread)  # noqa: SLF001  the documented way, in spite of its name
            if frame is not None:
                counts[where(frame)] += 1
        session = _stopped(between.put(profiler.stop))
        total = max(1, counts.total())
        parts = tuple(Part(operator, kernel, n / total) for (operator, kernel), n in counts.most_common())
        root = session.root_frame()
        return Profile(seconds, counts.total(), parts, None if root is None else _call(root, root.time or 1.0, 0))


def _stopped(stop: Future[Any]) -> Any:
    """
    Wait until the engine's thread has stopped looking at itself; if it is busy, it does that later all the same.

    Raises:
        TransientError: it is busy with one tick, or has ended.
    """
    try:
        return stop.result(MOST_SECONDS)
    except (NotYet, CancelledError):
        raise TransientError("the engine is busy, or has ended") from None


def _pyinstrument() -> Any:
    """
    Load what draws flame graphs.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import pyinstrument  # noqa: PLC0415  an extra
    except ModuleNotFoundError:
        raise ConfigError(
            "a profile needs pyinstrument, which is not installed", hint="pip install 'tailrace[profile]'"
        ) from None
    return pyinstrument


def where(frame: FrameType) -> tuple[str, str]:
    """Tell in which operator and kernel a thread is, by the frame that it is at."""
    kernel = kernel_at(frame)
    at: FrameType | None = frame
    while at is not None:
        code = at.f_code
        if code.co_name == "_run" and code.co_filename.endswith("executor.py"):
            return str(at.f_locals["vertex"].name), kernel or PYTHON
        if code.co_name == "wait" and code.co_filename.endswith("queues.py"):
            return WAITING, ""
        at = at.f_back
    return BESIDE, kernel or PYTHON


def kernel_at(frame: FrameType) -> str | None:
    """Name the compiled function that a frame is calling just now; None if it is at something else."""
    positions = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    if positions is None or positions[0] is None or positions[2] is None:
        return None
    line = linecache.getline(frame.f_code.co_filename, positions[0])
    called = _CALLED.match(line.encode()[positions[2] :].decode("utf-8", "replace"))
    if called is None:
        return None
    first, *rest = called[1].split(".")
    found = frame.f_locals.get(first, frame.f_globals.get(first))
    for name in rest:
        found = getattr(found, name, None)
    original = getattr(found, "py_func", None)
    return None if original is None else f"{original.__module__.removeprefix('tailrace.')}.{original.__name__}"


def _call(frame: Any, total: float, depth: int) -> Call:
    """Give a frame of pyinstrument and what it called, the longest first."""
    below = [f for f in frame.children if f.time / total >= SMALL] if depth < _DEEPEST else []
    calls = tuple(_call(f, total, depth + 1) for f in sorted(below, key=lambda f: -f.time))
    place = f"{frame.file_path_short or ''}:{frame.line_no}" if frame.file_path_short else ""
    return Call(str(frame.function), place, frame.time / total, calls)
