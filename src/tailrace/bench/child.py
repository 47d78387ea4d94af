"""
One measured run: `python -m tailrace.bench.child WARM SCRIPT STATE` prints its figures as JSON.

The job of WARM, over a few rows, runs before, so that Python's modules and the kernels are loaded.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tailrace.plan.rewrite import optimize
from tailrace.runtime.job import Job
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert


def main(warm: Path, script: Path, state: Path) -> None:
    """Run the script's INSERT and print rows, seconds, CPU seconds and peak memory of this process."""
    _job(warm, None).run()
    job = _job(script, state)
    before = time.process_time()
    summary = job.run()
    figures = {
        "rows": summary.rows_in,
        "rows_out": summary.rows_out,
        "seconds": summary.seconds,
        "cpu_seconds": time.process_time() - before,
        "peak_mib": summary.peak_memory_bytes / 2**20,
        "checkpoints": summary.checkpoints,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def _job(script: Path, state: Path | None) -> Job:
    session = Session()
    statements = session.bind(script.read_text(), str(script))
    sinks = tuple(sink for s in statements if isinstance(s, Insert) for sink in s.sinks)
    return Job(script.stem, optimize(sinks), session.settings, state=state, tables=session.tables)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
