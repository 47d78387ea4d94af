"""`tailrace demo`: card payments, the suspicious cards among them live, and in SQLite."""

from __future__ import annotations

import logging
import os
import secrets
import sys
import threading
import webbrowser
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.resources import files
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tailrace.cli import logs
from tailrace.cli.cells import cells
from tailrace.cli.compiling import told_of_compiling
from tailrace.cli.jobs import stopped_by_signals
from tailrace.cli.output import OutputSink
from tailrace.cli.progress import Progress, Rates, lines, show_live
from tailrace.cli.run import make_job, tell
from tailrace.cli.script import Script, script_of
from tailrace.cli.serving import Served, served
from tailrace.errors import ConfigError, TerminalError
from tailrace.formats.rows_as_json import jsonl
from tailrace.schema import Schema
from tailrace.sql.session import Session

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tailrace.runtime.job import Job
    from tailrace.runtime.summary import Status

SHOWN = 15
KAFKA_SECONDS = 8
_QUERY = "SELECT * FROM suspicious_cards ORDER BY window_end DESC LIMIT 5"


def demo(
    seconds: float | None,
    kafka: str | None,
    rate: int,
    database: Path,
    *,
    json: bool = False,
    serve: Served | None = None,
) -> None:
    """
    Run the demo until the time is over, or Ctrl-C.

    Raises:
        TailraceError: the broker can't be used, or the job failed.
    """
    logs.to_stderr(logging.WARNING, as_json=json)
    with _topic(kafka) if kafka else nullcontext("") as topic:
        script = demo_script(rate, database, kafka, topic)
        live = sys.stdout.isatty() and sys.stderr.isatty() and not json
        shown = Suspicious(script, live=live, as_json=json)
        job = make_job(script, None, {"sink": shown}, allow_state_drop=False)
        if not json:
            where = f"through Kafka at {kafka}" if kafka else "from an embedded generator"
            print(f"card payments {where}, {rate:,} a second; suspicious cards go to {database}", file=sys.stderr)
        display = _table_of(job, shown) if live else Progress(job, sys.stderr, live=None, as_json=json)
        shown.stop = job.stop
        note = told_of_compiling(lambda text: None if json else print(text, file=sys.stderr))
        shown_there = served(job, serve, lambda url: _tell_dashboard(url, as_json=json))
        with note, _ended_after(job, seconds), stopped_by_signals(job), shown_there, display:
            summary = job.run()
    tell(summary, json=json)
    if not json:
        print(f"{shown.rows:,} times a card was suspicious; they are in {database}:", file=sys.stderr)
        print(f"  sqlite3 {database} '{_QUERY}'", file=sys.stderr)


def _tell_dashboard(url: str, *, as_json: bool) -> None:
    """Say where the dashboard is; who sits before a screen of this machine sees it at once."""
    print(dumps({"dashboard": url}) if as_json else f"dashboard: {url}", file=sys.stderr)
    screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen and sys.stdout.isatty() and sys.stderr.isatty():
        webbrowser.open(url)


def demo_script(rate: int, database: Path, kafka: str | None, topic: str) -> Script:
    """
    Bind the demo's files as one script.

    Raises:
        ConfigError: the connector of Kafka is not installed.
    """
    parameters = {"RATE": str(rate), "SEED": str(secrets.randbelow(1 << 31)), "DATABASE": str(database)}
    session = Session(parameters | {"BROKER": kafka or "", "TOPIC": topic})
    names = ("generated.sql", "kafka.sql" if kafka else "direct.sql", "fraud.sql")
    folder = files("tailrace.cli.demo")
    statements = [s for name in names for s in session.bind((folder / name).read_text(encoding="utf-8"), name)]
    return script_of(statements, session, "demo")


class Suspicious(OutputSink):
    """Keeps the last rows for the live table; without one it writes each as a line."""

    def __init__(self, script: Script, *, live: bool, as_json: bool) -> None:
        assert script.query is not None
        super().__init__(script.query.schema, sys.stdout, updating=False, on_gone=self._nobody)
        self._live = live
        self._json = as_json
        self.last: deque[tuple[str, ...]] = deque(maxlen=SHOWN)
        self.stop: Callable[[], None] = lambda: None

    @property
    def schema(self) -> Schema:
        """The columns of the rows."""
        return self._schema

    def _nobody(self) -> None:
        self.stop()

    def text(self, batch: pl.DataFrame) -> str:
        if self._json:
            return jsonl(batch, self._schema).decode()
        rows = [tuple(v or "" for v in row) for row in cells(batch, self._schema, updating=False).rows()]
        self.last.extend(rows)
        if self._live:
            return ""
        return "".join(
            f"{', '.join(f'{n}={v}' for n, v in zip(self._schema.names, row, strict=True))}\n" for row in rows
        )


@contextmanager
def _ended_after(job: Job, seconds: float | None) -> Iterator[None]:
    timer = threading.Timer(seconds, job.stop) if seconds is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()


@contextmanager
def _table_of(job: Job, shown: Suspicious) -> Iterator[None]:
    """Show the job as a table that changes in place."""
    rates, over = Rates(), threading.Event()
    thread = threading.Thread(
        target=show_live, args=(job, rates, lambda status: _table(status, shown, rates), over), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5.0)


def _table(status: Status, shown: Suspicious, rates: Rates) -> RenderableType:
    import time  # noqa: PLC0415  with rich, only on a terminal

    from rich.console import Group  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title="suspicious cards", title_justify="left")
    for field in shown.schema:
        table.add_column(field.name, justify="left" if field.name in ("window_end", "card") else "right")
    for row in reversed(list(shown.last)):
        table.add_row(*row)
    now = time.time_ns() // 1_000_000
    return Group(table, Text("\n".join(lines(status, rates, now))), Text("Ctrl-C ends the demo", style="dim"))


@contextmanager
def _topic(broker: str) -> Iterator[str]:
    """
    Make a topic for the demo, and remove it at the end.

    Raises:
        ConfigError: the library for Kafka is not installed.
        TerminalError: the broker does not answer, or refuses.
    """
    try:
        from confluent_kafka import KafkaException  # noqa: PLC0415  an optional dependency
        from confluent_kafka.admin import AdminClient, NewTopic  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ConfigError("Kafka needs a library of its own", hint="pip install 'tailrace[kafka]'") from None
    name = f"tailrace-demo-{secrets.token_hex(4)}"
    admin = AdminClient({"bootstrap.servers": broker, "log_level": 0})
    try:
        made = admin.create_topics(
            [NewTopic(name, 2, 1)], operation_timeout=KAFKA_SECONDS, request_timeout=KAFKA_SECONDS
        )
        made[name].result(KAFKA_SECONDS)
    except (KafkaException, TimeoutError) as error:
        hint = "start the broker, or mend --kafka HOST:PORT"
        why = str(error) or f"it does not answer within {KAFKA_SECONDS} s"
        raise TerminalError(f"the Kafka broker at {broker} can't be used: {why}", hint=hint) from None
    try:
        yield name
    finally:
        _remove(admin, name)


def _remove(admin: object, name: str) -> None:
    """Remove the topic; where that is not allowed, say that it stays."""
    try:
        admin.delete_topics([name])[name].result(KAFKA_SECONDS)  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001  the demo is over; the topic is small
        print(f"topic {name} could not be removed: {error}", file=sys.stderr)
