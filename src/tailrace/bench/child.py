"""One measured run: `python -m tailrace.bench.child SCRIPT STATE` prints its figures as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tailrace.plan.rewrite import optimize
from tailrace.runtime.job import Job
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert


def main(script: Path, state: Path) -> None:
    """Run the script's INSERT and print rows, seconds, CPU seconds and peak memory of this process."""
    session = Session()
    statements = session.bind(script.read_text(), str(script))
    sinks = tuple(sink for s in statements if isinstance(s, Insert) for sink in s.sinks)
    job = Job(script.stem, optimize(sinks), session.settings, state=state, tables=session.tables)
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
