"""One measured query: `python -m tailrace.bench.nexmark.child TASK FOLDER` prints its figures as JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import polars as pl

from tailrace.bench.nexmark import queries
from tailrace.bench.nexmark.task import Result, Task
from tailrace.connectors import memory
from tailrace.connectors.nexmark.columns import wanted
from tailrace.connectors.nexmark.events import Events
from tailrace.connectors.nexmark.wide import wide
from tailrace.plan.nodes import Scan, walk
from tailrace.runtime.job import Job

WARM_UP = 100_000
BATCH = 65_536
SIDE_ROWS = 10_000
_SAMPLES = 0.1
_SETTINGS = {"execution.checkpointing.interval": "1 s"}


def main(task: Task, folder: Path) -> None:
    """Run the query twice: over a few events, so that all code is there, then measured."""
    memory.table("side_input").append(
        pl.DataFrame({"key": np.arange(SIDE_ROWS)}).with_columns(value=pl.col("key").cast(pl.String))
    )
    memory.table("side_input").end()
    measure(replace(task, events=WARM_UP), folder / "warm-up")
    sys.stdout.write(json.dumps(asdict(measure(task, folder / "measured"))) + "\n")


def measure(task: Task, folder: Path) -> Result:
    """Run the query once, in a folder of its own."""
    session, sinks = queries.bind(task.query, parameters(task, folder))
    if not task.live:
        prepare(task, next(n for s in sinks for n in walk(s) if isinstance(n, Scan) and n.table.name == "events"))
    settings = {**session.settings, **_SETTINGS}
    job = Job(task.query, sinks, settings, state=folder / "state", tables=session.tables)
    watch = Watch(job)
    memory_before = reset_peak()
    cpu_before = time.process_time()
    with watch:
        summary = job.run()
    cpu_seconds = time.process_time() - cpu_before
    memory.table("events").clear()
    return Result(
        task.query,
        task.events,
        task.rate,
        task.keys,
        task.live,
        summary.seconds,
        cpu_seconds,
        summary.rows_out,
        (peak() - memory_before) / 2**20,
        watch.state_rows,
        summary.checkpoints,
    )


def parameters(task: Task, folder: Path) -> dict[str, str]:
    """Give the options of the tables."""
    live = f"'connector' = 'nexmark', 'events.num' = '{task.events}', 'first-event.rate' = '{task.rate}'"
    shape = task.shape
    live += f", 'tailrace.first-event' = '{task.first}', 'auction.hot-ratio.sellers' = '{shape.hot_sellers}'"
    live += f", 'bid.hot-ratio.auctions' = '{shape.hot_auctions}', 'bid.hot-ratio.bidders' = '{shape.hot_bidders}'"
    live += f", 'tailrace.active-people' = '{shape.active_people}'"
    live += f", 'tailrace.auctions-in-flight' = '{shape.auctions_in_flight}'"
    return {
        "SOURCE": live if task.live else "'connector' = 'memory'",
        "SINK": "'connector' = 'blackhole'",
        "FILES": f"'connector' = 'filesystem', 'path' = '{folder / 'files'}', 'format' = 'csv'",
        "SIDE": "'connector' = 'memory', 'lookup.cache' = 'FULL'",
    }


def prepare(task: Task, scan: Scan) -> None:
    """Put the events into memory: only the columns that the query reads."""
    columns = wanted(scan.schema, scan.table)
    table = memory.table("events")
    for first in range(task.first, task.first + task.events, BATCH):
        numbers = np.arange(first, min(first + BATCH, task.first + task.events), dtype=np.int64)
        table.append(wide(Events.numbered(task.shape, numbers), columns))


class Watch:
    """Looks at a running job from beside it, for the most state that it holds."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self.state_rows = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_SAMPLES):
            self.state_rows = max(self.state_rows, sum(o.state_rows for o in self._job.observe().operators))


def reset_peak() -> int:
    """Let the peak of memory begin anew, and give what is held now, in bytes."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel
        file.write("5")
    return peak()


def peak() -> int:
    """Give the most memory that was held since `reset_peak`, in bytes."""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel
        line = next(x for x in file if x.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def on_one_core() -> None:
    """Keep to one core, as far as the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


if __name__ == "__main__":
    on_one_core()
    main(Task(**json.loads(sys.argv[1])), Path(sys.argv[2]))
