"""
The program that is killed: a windowed job, from a generator into files and databases.

Python and its libraries take a second or two to load, so this process loads them once and forks a job for each line on its
standard input: `run FOLDER ROWS-A-SECOND SCRIPT` answers with the process id, `wait ID` with how that process ended.
Nothing has run in it when it forks: no thread of ours and no lock is held.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from tailrace.runtime.script import Script
from tailrace.sql.session import Session


def job(folder: Path, rate: str, text: Path) -> None:
    """Run the script to its end, and say from which epoch it went on."""
    session = Session(parameters={"FOLDER": str(folder), "RATE": rate})
    statements = session.bind(text.read_text(), str(text))
    script = Script("crash", statements, session.tables, session.settings, state=folder / "state")
    (summary,) = script.run()
    (folder / "done").write_text(str(summary.restored_epoch))


def fork(folder: Path, rate: str, text: Path) -> int:
    """Run a job in a process of its own; what it says goes to `log` in its folder."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        job(folder, rate, text)
        status = 0
    except BaseException:  # noqa: BLE001  the process ends here, whatever it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Obey the lines on standard input."""
    for line in sys.stdin:
        verb, *given = line.split()
        if verb == "run":
            answer = fork(Path(given[0]), given[1], Path(given[2]))
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(int(given[0]), 0)[1])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
