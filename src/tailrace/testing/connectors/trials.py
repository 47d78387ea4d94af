"""Whole scripts under test: in this process, or in one of their own that is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tailrace.api.background import Background
from tailrace.clock import SystemClock
from tailrace.connectors import registry
from tailrace.connectors.base import Context, Report
from tailrace.errors import ConfigError, TailraceError
from tailrace.plan.nodes import LookupJoin, walk
from tailrace.runtime.observation import Observation
from tailrace.runtime.script import Script
from tailrace.runtime.summary import Status, Summary
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert
from tailrace.testing.connectors.nursery import Nursery
from tailrace.testing.connectors.system import patience

_LOOK = 0.02


class Trial:
    """A script that runs in this process, with checkpoints in a folder."""

    def __init__(self, sql: str, folder: Path) -> None:
        session = Session()
        statements = session.bind(sql, "job.sql")
        self._script = Script("job", statements, session.tables, session.settings, state=folder / "state")
        self._background = Background(self._script)
        self._background.start()

    @property
    def status(self) -> Status | None:
        """Its counters, once it runs."""
        return self._script.status()

    @property
    def seen(self) -> Observation | None:
        """All that can be seen of it, once it runs."""
        return self._script.observe()

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._background.over

    @property
    def read(self) -> int:
        """How many rows its sources have read since its start, or since it went on by itself."""
        status = self.status
        return sum(s.rows for s in status.sources) if status else 0

    @property
    def epoch(self) -> int:
        """The last complete checkpoint."""
        status = self.status
        return status.checkpoint.epoch if status else 0

    def until(self, happened: Callable[[], object], what: str) -> None:
        """
        Wait until something has happened.

        Raises:
            AssertionError: it does not, or the script ends before.
        """
        end = time.monotonic() + patience()
        while not happened():
            if self.over and not happened():
                self.finish()
                raise AssertionError(f"the script ended before {what}")
            if time.monotonic() > end:
                self.stop()
                raise AssertionError(f"not within {patience():g} s: {what}; {self.status}")
            time.sleep(_LOOK)

    def finish(self) -> Summary:
        """
        Wait for its end and give the summary.

        Raises:
            AssertionError: it hangs.
            TailraceError: it failed.
        """
        if not self._background.join(patience()):
            self.stop()
            raise AssertionError(f"the script did not end within {patience():g} s: {self.status}")
        if self._background.failure is not None:
            raise self._background.failure
        return self._background.summaries[-1]

    def stop(self) -> None:
        """End it in good order; returns at once."""
        self._background.stop()

    def halt(self) -> Summary:
        """End it in good order, and wait for that."""
        self.stop()
        return self.finish()


def run(sql: str, folder: Path) -> Summary:
    """Run a script to its end."""
    return Trial(sql, folder).finish()


class Victim:
    """A script in a process of its own, to be killed."""

    def __init__(self, sql: str, folder: Path) -> None:
        self._folder = folder
        (folder / "job.sql").write_text(sql, encoding="utf-8")
        self._nursery = Nursery.get()
        self._process = self._nursery.run(folder)

    @property
    def epoch(self) -> int:
        """The last complete checkpoint."""
        return max((int(p.stem) for p in (self._folder / "state" / "checkpoints").glob("*.manifest")), default=0)

    def until(self, happened: Callable[[], object], what: str) -> None:
        """
        Wait until something has happened.

        Raises:
            AssertionError: it does not.
        """
        end = time.monotonic() + patience()
        while not happened():
            if time.monotonic() > end or self._ended():
                os.kill(self._process, signal.SIGKILL)
                status = self._nursery.wait(self._process)
                raise AssertionError(f"it did not happen (status {status}): {what}: {self._said()}")
            time.sleep(_LOOK)

    def _ended(self) -> bool:
        """Tell whether it is over, and waits to be asked how."""
        try:
            stat = Path(f"/proc/{self._process}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False  # no such file system: time will tell
        return stat.rpartition(")")[2].split()[0] == "Z"

    def killed(self) -> bool:
        """Kill it by SIGKILL; tell whether that met it, or it was over before."""
        os.kill(self._process, signal.SIGKILL)
        return self._nursery.wait(self._process) == -signal.SIGKILL

    def kill(self) -> None:
        """
        Kill it by SIGKILL.

        Raises:
            AssertionError: it was over before.
        """
        if not self.killed():
            raise AssertionError(f"the process was over before it was killed: {self._said()}")

    def _said(self) -> str:
        log = self._folder / "log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""


class Got:
    """What a script has written into a table of a SQLite file; committed rows alone."""

    def __init__(self, folder: Path, name: str = "got") -> None:
        self.name = name
        self.path = folder / f"{name}.db"

    @property
    def options(self) -> dict[str, str]:
        """The options of the table."""
        return {"connector": "sqlite", "path": str(self.path)}

    def rows(self) -> list[dict[str, Any]]:
        """Give its rows; none while there is no table."""
        return [dict(row) for row in self._select("*")]

    def __len__(self) -> int:
        return sum(count for (count,) in self._select("count(*)"))

    def _select(self, what: str) -> list[sqlite3.Row]:
        if not self.path.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            try:
                return database.execute(f'SELECT {what} FROM "{self.name}"').fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                return []


def check(sql: str, table: str, role: str, folder: Path) -> Report:
    """Ask what `check` says of a table in its role (`source`, `sink` or `lookup`); an error is an answer too."""
    try:
        session = Session()
        plans = [p for s in session.bind(sql, "job.sql") if isinstance(s, Insert) for p in s.sinks]
        found, context = session.tables[table], Context("check", folder, SystemClock())
        if role == "source":
            return registry.source(found, found.schema, context).check()
        if role == "sink":
            return registry.sink(found, context).check()
        join = next(n for plan in plans for n in walk(plan) if isinstance(n, LookupJoin))
        return registry.lookup(found, join.asked, tuple(k.column for k in join.keys), context).check()
    except TailraceError as error:
        return Report.failed(error)


def refused(sql: str) -> ConfigError | None:
    """Bind a script and build its jobs, without reaching any system; give what refuses it."""
    try:
        session = Session()
        statements = session.bind(sql, "job.sql")
        Script("job", statements, session.tables, session.settings).check()
    except ConfigError as error:
        return error
    return None
