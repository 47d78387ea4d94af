"""
One process that runs a job with everything off and on, in turn: `python -m tailrace.bench.overhead.child TASK`.

TASK is JSON (`Task`). It prints a line of JSON for each run; and the address of each dashboard that it opens, as `{"page": …}`.
Off and on are run in the same process, so that compiled kernels, modules and memory are the same for both. What it costs to
load the libraries of exporters is measured on its own, by the first two small jobs.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailrace.observe.exporting.telemetry import telemetry
from tailrace.observe.logs import setup
from tailrace.runtime.script import Script
from tailrace.sql.session import Session
from tailrace.web.jobs import Watched
from tailrace.web.opening import server


@dataclass(frozen=True, slots=True)
class Task:
    """What to run: a script for a small job, one for the job that is measured, both with `{out}`; and the settings that are on."""

    small: str
    script: str
    folder: str
    settings: dict[str, str]
    dashboard: bool
    pairs: int


def main(task: Task) -> None:
    """Run small jobs, off and on, then the pairs; each pair the other way round than the one before."""
    setup.console(logging.INFO, sys.stderr, colours=False)
    _run(task, task.small, on=False)
    _say("start off", _run(task, task.small, on=False))
    _say("start on", _run(task, task.small, on=True))
    for number in range(task.pairs):
        first = bool(number % 2)
        for on in (first, not first):
            _say("on" if on else "off", _run(task, task.script, on=on))


def _say(what: str, figures: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"run": what} | figures) + "\n")
    sys.stdout.flush()


def _run(task: Task, text: str, *, on: bool) -> dict[str, Any]:
    """Run a job to its end, and give what it took; with what the exporters send at the end."""
    folder = Path(task.folder)
    for name in ("out", "state"):
        shutil.rmtree(folder / name, ignore_errors=True)
    session = Session(settings=task.settings if on else {})
    statements = session.bind(text.replace("{out}", str(folder / "out")), "overhead.sql")
    script = Script(
        "bench-overhead", statements, session.tables, session.settings, state=folder / "state", telemetry=telemetry
    )
    with _dashboard(script, wanted=on and task.dashboard):
        cpu, began = time.process_time(), time.perf_counter()
        (summary,) = script.run()
        setup.tell_rest()
        cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    return {"cpu": cpu, "seconds": seconds, "rows": summary.rows_in, "rows_out": summary.rows_out}


@contextmanager
def _dashboard(script: Watched, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    with server("0", lambda: [script]) as opened:
        sys.stdout.write(json.dumps({"page": opened.url}) + "\n")
        sys.stdout.flush()
        yield


if __name__ == "__main__":
    main(Task(**json.loads(sys.argv[1])))
