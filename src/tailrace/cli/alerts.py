"""`tailrace alerts test`: a sample to each channel."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from tailrace.cli.failures import FAILED
from tailrace.cli.script import load
from tailrace.connectors import registry
from tailrace.errors import ConfigError, TailraceError
from tailrace.observe.plain import plain
from tailrace.plan.catalog import Table


@dataclass(frozen=True, slots=True)
class Tried:
    """What a channel of a table said."""

    table: str
    channel: str
    ok: bool
    message: str


def test(
    files: Sequence[Path], parameters: Sequence[str] | None, settings: Sequence[str] | None, *, json_: bool
) -> None:
    """
    Send a sample to each channel of a script's tables of alerts, and say who took it.

    Raises:
        ConfigError: the script or an option is wrong, or it has no such table.
    """
    tables = [t for t in load(files, parameters, settings).session.tables.values() if t.connector == "alert"]
    if not tables:
        raise ConfigError(
            "the script has no table of connector 'alert'", hint="write WITH ('connector' = 'alert', ...)"
        )
    tried = [found for table in tables for found in _tried(table)]
    if json_:
        print(json.dumps([asdict(t) for t in tried]))
    else:
        for t in tried:
            print(f"{t.table}: {t.channel}: {'ok' if t.ok else 'FAILED'}: {plain(t.message)}")
    if not all(t.ok for t in tried):
        raise typer.Exit(FAILED)


def _tried(table: Table) -> Iterator[Tried]:
    registry.get("alert", table.location)  # what its extra lacks is said there
    from tailrace.connectors.alert.board import Notice  # noqa: PLC0415  behind the extra
    from tailrace.connectors.alert.channels import channels  # noqa: PLC0415  behind the extra
    from tailrace.connectors.alert.connector import shape  # noqa: PLC0415  behind the extra

    options = registry.options_of(table).own
    sample = shape(table, options).alert({name: f"<{name}>" for name in table.written.names})
    alert = replace(sample, title=f"Test of {table.name}: {sample.title}", key=f"test-{uuid.uuid4().hex}")
    notice = Notice(uuid.uuid4().hex, time.time_ns() // 1_000_000, alert)
    for channel in channels(options):
        try:
            channel.send(notice)
            # an alert that stands open would have to be closed by hand
            channel.send(replace(notice, id=uuid.uuid4().hex, resolved=True))
        except TailraceError as error:
            yield Tried(table.name, channel.name, ok=False, message=error.message)
        else:
            yield Tried(table.name, channel.name, ok=True, message="took a sample, and its end")
