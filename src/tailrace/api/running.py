"""A pipeline that runs beside the program that started it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from tailrace.api.background import Background
from tailrace.errors import TerminalError
from tailrace.runtime.control import Control
from tailrace.runtime.inspection import Inspection
from tailrace.runtime.observation import Observation
from tailrace.runtime.script import Script
from tailrace.runtime.summary import Status, Summary
from tailrace.state.savepoints import Savepoint, folder_of

_STARTING = "starting"
_LOOK = 0.02


class Running:
    """
    A pipeline that runs in a thread of its own: stop it, wait for it, `await` it.

    With `with` or `async with` it is stopped at the end of the block. One that still runs when the program ends is
    stopped in good order then.

    >>> import polars as pl
    >>> import tailrace as tr
    >>> with tr.from_polars(pl.DataFrame({"v": [1]}), name="one").to("blackhole").start() as job:
    ...     job.wait().rows_in
    1
    """

    def __init__(self, pipeline: object, script: Script) -> None:
        self._pipeline = pipeline  # the frames of its tables live as long as their definitions
        self._background = Background(script)
        self._background.start()

    def __repr__(self) -> str:
        return f"<Running {self.name}: {self.state}>"

    @property
    def name(self) -> str:
        """The name that it was started with."""
        return self._background.script.name

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return not self._background.over

    @property
    def state(self) -> str:
        """What it does: `starting`, `running`, `stopping`, and then `finished`, `stopped` or `failed`."""
        if self.failure is not None:
            return "failed"
        found = self._background.script.status()
        return _STARTING if found is None else found.state

    @property
    def failure(self) -> BaseException | None:
        """What ended it, if it failed; `wait` raises it."""
        return self._background.failure

    def status(self) -> Status | None:
        """Give its counters; None before it has begun."""
        found = self._background.script.status()
        return found if found is None or self.failure is None else replace(found, state="failed")

    def observe(self) -> Observation | None:
        """Give all that can be seen of it: operators, partitions, latency; None before it has begun."""
        return self._background.script.observe()

    @property
    def inspection(self) -> Inspection | None:
        """Open windows and why, rows between operators, dead letters, the plan: what the dashboard asks it. None before its engine has started."""
        return self._background.script.inspection

    @property
    def control(self) -> Control | None:
        """Checkpoints and savepoints taken now, rows replayed: what the dashboard tells it. None before its engine has started."""
        return self._background.script.control

    def savepoint(self, name: str, *, stop: bool = False) -> Path:
        """
        Take a savepoint, wait for it, and give its folder; with `stop` it is the last thing before the pipeline stops.

        Another one begins there by `start(..., from_savepoint=...)`, or by `tailrace run --from-savepoint`.

        Raises:
            ConfigError: it can't have that name, there is one of that name, or the pipeline keeps no state.
            TransientError: it is not complete yet.
            TerminalError: the pipeline has ended before.

        >>> import tempfile
        >>> import tailrace as tr
        >>> state = tempfile.mkdtemp() + "/state"
        >>> job = tr.read("datagen", {"id": int}, name="ids").to("blackhole").start(state=state)
        >>> job.savepoint("before-upgrade", stop=True).name
        'before-upgrade'
        >>> job.wait().finished
        False
        """
        control, inspection = self._begun()
        control.savepoint(name, stop=stop)
        assert inspection.folder is not None  # else none was taken
        return folder_of(inspection.folder, name)

    async def asavepoint(self, name: str, *, stop: bool = False) -> Path:
        """
        Take a savepoint as `savepoint` does; the event loop goes on meanwhile.

        Raises:
            ConfigError, TransientError, TerminalError: as `savepoint`.
        """
        return await asyncio.to_thread(self.savepoint, name, stop=stop)

    def savepoints(self) -> list[Savepoint]:
        """
        Give the savepoints in its state folder, the newest first; those of earlier runs too.

        Raises:
            TerminalError: it has ended before its engine had started.
        """
        return self._begun()[1].savepoints()

    def stop(self) -> None:
        """End it in good order: what was read is put through, and a checkpoint is taken. Returns at once."""
        self._background.stop()

    async def astop(self) -> Summary:
        """
        End it in good order and wait for the end; the event loop goes on meanwhile.

        Raises:
            TailraceError: it failed.
        """
        self.stop()
        return await self

    def wait(self, seconds: float | None = None) -> Summary:
        """
        Wait for its end, at most so long, and give the summary.

        Raises:
            TimeoutError: it still runs.
            TailraceError: it failed.
        """
        if not self._background.join(seconds):
            raise TimeoutError(f"pipeline '{self.name}' still runs after {seconds} s")
        return self._summary()

    async def started(self) -> Self:
        """
        Wait until it runs, or has come to its end.

        Raises:
            TailraceError: it could not begin.
        """
        await asyncio.to_thread(self._wait_for_start)
        if self.failure is not None:
            raise self.failure
        return self

    def __await__(self) -> Generator[Any, None, Summary]:
        return self._ended().__await__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.stop()
        self._background.join()
        self._raise_beside(error)

    async def __aenter__(self) -> Self:
        return await self.started()

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.stop()
        await self._background.ended()
        self._raise_beside(error)

    async def _ended(self) -> Summary:
        await self._background.ended()
        return self._summary()

    def _wait_for_start(self) -> None:
        while self.running and self.state == _STARTING:
            time.sleep(_LOOK)

    def _begun(self) -> tuple[Control, Inspection]:
        """
        Wait until it can be told something.

        Raises:
            TerminalError: it has ended before.
        """
        while self.running and (self.control is None or self.inspection is None):
            time.sleep(_LOOK)
        control, inspection = self.control, self.inspection
        if control is None or inspection is None:
            raise TerminalError(f"pipeline '{self.name}' has ended") from self.failure
        return control, inspection

    def _raise_beside(self, error: BaseException | None) -> None:
        """Raise what ended it; an error of the block itself goes first, and tells of it."""
        if self.failure is None:
            return
        if error is None:
            raise self.failure
        if error is not self.failure:
            error.add_note(f"pipeline '{self.name}' failed too: {self.failure}")

    def _summary(self) -> Summary:
        if self.failure is not None:
            raise self.failure
        done = self._background.summaries
        # one that was stopped before it had begun has read nothing
        return done[0] if done else Summary(self.name, (), (), 0.0, 0, 0, finished=False, peak_memory_bytes=0)
