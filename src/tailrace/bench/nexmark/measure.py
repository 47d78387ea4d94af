"""Nexmark's queries measured, each in a process of its own on one core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict

from tailrace.bench.nexmark.task import Result, Task
from tailrace.errors import TerminalError

_LONGEST = 3600.0


def measure(task: Task) -> Result:
    """
    Measure one query: with checkpoints on disk each second, into a sink that drops what it gets.

    Raises:
        TerminalError: it can't be run.
    """
    with tempfile.TemporaryDirectory(prefix="tailrace-nexmark-") as folder:
        command = [sys.executable, "-m", "tailrace.bench.nexmark.child", json.dumps(asdict(task)), folder]
        done = subprocess.run(  # noqa: S603 - our own program
            command,
            env={**os.environ, "POLARS_MAX_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise TerminalError(f"query {task.query} can't be measured: {' '.join(last)}")
    return Result(**json.loads(done.stdout.splitlines()[-1]))
