"""The jobs whose cost is compared: a window of 10 seconds by 10,000 users over files, and rows from topic to topic."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tailrace.bench import events, pipelines

BAD_ROWS = 20
"""So many rows can't be read and are dropped, so that there is something to log."""
_FEW = 1_000
_PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Work:
    """A small job, whose start is measured, and the job that is measured; `{out}` in them is a folder."""

    small: str
    script: str


@contextmanager
def file_job(rows: int) -> Iterator[Work]:
    """Give jobs over files of JSON into files."""
    with tempfile.TemporaryDirectory(prefix="tailrace-overhead-") as name:
        yield Work(*(_over_file(Path(name) / f"events-{count}.json", count) for count in (_FEW, rows)))


def _over_file(path: Path, count: int) -> str:
    events.write_file(path, count)
    with path.open("a") as file:
        file.write("no row\n" * BAD_ROWS)
    source = pipelines.options(connector="filesystem", path=str(path), format="json", tailrace__on_error="drop")
    sink = pipelines.options(connector="filesystem", path="{out}", format="json")
    return pipelines.script("bench-overhead", source, sink)


@contextmanager
def kafka_job(rows: int, bootstrap: str, traced: int = 0) -> Iterator[Work]:
    """Give jobs from a topic of four partitions, each `traced`-th message of which has a trace, through the same window into a topic."""
    from tailrace.bench import kafka as topics  # noqa: PLC0415  its client is an extra

    made = [topics.fill(bootstrap, count, _PARTITIONS, BAD_ROWS, traced) for count in (_FEW, rows)]
    try:
        yield Work(*(_over_topics(bootstrap, *names) for names in made))
    finally:
        topics.drop(bootstrap, *(name for names in made for name in names))


def _over_topics(bootstrap: str, topic_in: str, topic_out: str) -> str:
    startup = {"scan__startup__mode": "earliest-offset", "scan__bounded__mode": "latest-offset"}
    source = pipelines.kafka_table(bootstrap, topic_in, tailrace__on_error="drop", **startup)
    sink = pipelines.kafka_table(bootstrap, topic_out, sink__delivery_guarantee="exactly-once")
    return pipelines.script("bench-overhead", source, sink)
