"""What a run of the suites has found out, kept for the table of the documentation."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from tailrace.testing.connectors.system import System

RECORD = "TAILRACE_CONFORMANCE"
"""The environment variable that names the file in which results are kept; without it, speed is not measured."""


def seconds_of(work: Callable[[], object]) -> float:
    """Tell how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def record(system: System, role: str, guarantee: str, rows_per_second: float, plain: float) -> None:
    """Keep the result of one role of a connector, in the place of what stood there before."""
    path = Path(os.environ[RECORD])
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    title = system.title or system.connector
    found[f"{title}: {type(system).__name__}"] = {
        "system": title,
        "connector": system.connector,
        "version": system.version() if system.has("version") else "",
        "role": role,
        "part": system.part,
        "guarantee": guarantee,
        "rows_per_second": _rounded(rows_per_second),
        "plain_rows_per_second": _rounded(plain),
        "stand_in": system.stand_in,
        "last_run": time.strftime("%Y-%m-%d", time.gmtime()),
        "omitted": type(system).omitted(),
    }
    path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _rounded(rate: float) -> int:
    """
    Give a rate with two digits that count.

    >>> _rounded(123456.7)
    120000
    """
    return round(float(f"{rate:.1e}"))
