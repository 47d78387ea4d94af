"""The program that is killed: a windowed job, from a generator into files and databases. Arguments: folder, rows a second."""

from __future__ import annotations

import sys
from pathlib import Path

from tailrace.runtime.script import Script
from tailrace.sql.session import Session


def main(folder: Path, rate: str, text: Path) -> None:
    """Run the script to its end, and say when it begins and ends."""
    session = Session(parameters={"FOLDER": str(folder), "RATE": rate})
    statements = session.bind(text.read_text(), str(text))
    script = Script("crash", statements, session.tables, session.settings, state=folder / "state")
    sys.stdout.write("start\n")
    sys.stdout.flush()
    (summary,) = script.run()
    sys.stdout.write(f"done {summary.restored_epoch}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
