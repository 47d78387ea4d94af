"""Members by the command line, for tests: started, watched by what they write, ended by signals."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 180.0
"""So many seconds anything may take, on the slowest machine."""

_MINE = re.compile(r"^.*replicas of this member.*$", re.MULTILINE)
_STARTED = re.compile(r"^.*replica started.*$", re.MULTILINE)
_PID = re.compile(r"\bpid\W+(\d+)")


class MemberProcess:
    """`tailrace run job.sql --state state --replicas N` in a folder; what it writes is in a file of its own."""

    def __init__(self, folder: Path, name: str, replicas: int, *more: str) -> None:
        self._errors = folder / f"{name}.txt"
        command = [sys.executable, "-m", "tailrace", "run", "job.sql", "--state", "state", f"--replicas={replicas}"]
        with self._errors.open("w") as errors:
            self.popen = subprocess.Popen([*command, *more], cwd=folder, stdout=errors, stderr=errors)

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self._errors.read_text()

    @property
    def mine(self) -> set[str]:
        """The replicas that it says it has."""
        found = _MINE.findall(self.said)
        return set(re.findall(r"\d+/\d+", found[-1])) if found else set()

    @property
    def children(self) -> set[int]:
        """The process ids of the children that it has started and that are still there."""
        pids = {int(pid) for line in _STARTED.findall(self.said) for pid in _PID.findall(line)}
        return {pid for pid in pids if is_child(pid)}

    def end(self, by: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        self.popen.send_signal(by)
        return self.popen.wait(PATIENCE)


def is_child(pid: int) -> bool:
    """Tell whether a process of this id runs a replica."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return b"tailrace.cli.member_child" in command and state != "Z"


def until(happened: Callable[[], bool], *members: MemberProcess) -> None:
    """Wait until something has happened; members end only where the test ends them."""
    end = time.monotonic() + PATIENCE
    while not happened():
        failed = [m for m in members if m.popen.poll() not in (None, 0)]
        assert not failed, failed[0].said[-3000:]
        assert time.monotonic() < end, "\n----\n".join(m.said[-3000:] for m in members)
        time.sleep(0.05)


def end_all(*members: MemberProcess) -> None:
    """Kill members that still run, and wait until their children are gone."""
    for member in members:
        if member.popen.poll() is None:
            member.end(signal.SIGKILL)
    until(lambda: not any(m.children for m in members))
