"""
A process that has everything loaded and forks scripts, so that one to be killed starts at once.

It obeys lines on its standard input: `run FOLDER` starts `job.sql` of the folder and answers with its process id, `wait ID`
with how that process ended. Nothing has run in it when it forks: no thread of ours and no lock is held.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import traceback
from pathlib import Path

from tailrace.runtime.script import Script
from tailrace.sql.session import Session


class Nursery:
    """The process, as the tests see it; one for all, started with the first script."""

    _one: Nursery | None = None

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tailrace.testing.connectors.nursery"]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603  ours
        atexit.register(self.close)

    @classmethod
    def get(cls) -> Nursery:
        """Give the one that runs."""
        if cls._one is None:
            cls._one = cls()
        return cls._one

    def run(self, folder: Path) -> int:
        """Start `job.sql` of a folder, with its state beside it; give the process id."""
        return self._ask("run", str(folder))

    def wait(self, process: int) -> int:
        """Wait for the end of a process; give its status, or minus the signal that ended it."""
        return self._ask("wait", str(process))

    def _ask(self, *words: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\0".join(words) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=30)


def job(folder: Path) -> None:
    """Run a script to its end."""
    session = Session()
    text = (folder / "job.sql").read_text(encoding="utf-8")
    statements = session.bind(text, "job.sql")
    Script("job", statements, session.tables, session.settings, state=folder / "state").run()


def _fork(folder: Path) -> int:
    """Run a script in a process of its own; what it says goes to `log` in its folder."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        job(folder)
        status = 0
    except BaseException:  # noqa: BLE001  the process ends here, whatever it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _status(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main() -> None:
    """Obey the lines on standard input."""
    for line in sys.stdin:
        verb, given = line.rstrip("\n").split("\0")
        answer = _fork(Path(given)) if verb == "run" else _status(int(given))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
