"""`tailrace check`: bind a script, reach every system, say what each sink guarantees."""

from __future__ import annotations

import json as jsons
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from tailrace.cli import logs
from tailrace.cli.failures import FAILED
from tailrace.cli.run import check_options
from tailrace.cli.script import Script, load
from tailrace.clock import SystemClock
from tailrace.connectors import registry
from tailrace.connectors.base import Context, Guarantee, Report
from tailrace.connectors.decoding import BlockDecoder
from tailrace.errors import ConfigError, TailraceError
from tailrace.observe.plain import plain
from tailrace.plan import splitting
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import LookupJoin, Scan, Sink, walk
from tailrace.runtime.assembly import refuse_shared_state
from tailrace.runtime.lookups import Lookups

RESULT = "(result)"


@dataclass(frozen=True, slots=True)
class Reached:
    """What was found of one source or sink."""

    role: str
    table: str
    connector: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What a sink guarantees for the rows of a source."""

    source: str
    sink: str
    guarantee: str


def check(
    files: Sequence[Path], parameters: Sequence[str] | None, settings: Sequence[str] | None, *, json: bool = False
) -> None:
    """
    Check the files and print what was found.

    Raises:
        TailraceError: a statement or an option is wrong.
        typer.Exit: a system can't be used.
    """
    logs.to_stderr(as_json=json)
    script = load(files, parameters, settings)
    check_options(script)
    with tempfile.TemporaryDirectory(prefix="tailrace-") as folder:
        reached, promises = _Checker(script, Path(folder)).check()
    if json:
        found = {"systems": [asdict(r) for r in reached], "guarantees": [asdict(p) for p in promises]}
        print(jsons.dumps(found))
    else:
        _print(script, reached, promises)
    if not all(r.ok for r in reached):
        raise typer.Exit(FAILED)


def _print(script: Script, reached: list[Reached], promises: list[Promise]) -> None:
    count = len(script.statements)
    print(f"{script.name}: {count} statement{'s' if count != 1 else ''} checked")
    for r in reached:
        print(f"  {r.role} {r.table} ({r.connector}): {'ok' if r.ok else 'FAILED'}: {plain(r.message)}")
    for p in promises:
        print(f"  {p.source} -> {p.sink}: {p.guarantee}")


class _Checker:
    def __init__(self, script: Script, folder: Path) -> None:
        self._script = script
        self._folder = folder
        self._sinks = script.sinks
        self._clock = SystemClock()
        self._shared: set[str] = set()
        self._repeating: set[str] = set()
        self._dealt: dict[str, tuple[str, ...]] = {}

    def check(self) -> tuple[list[Reached], list[Promise]]:
        scans = {n.table.name: n for s in self._sinks for n in walk(s) if isinstance(n, Scan)}
        reached = [self._source(scan) for scan in scans.values()] + self._lookups()
        self._check_parts()
        promises: list[Promise] = []
        for sink in self._sinks:
            registry.check_updates(sink)
            found, guarantee = self._sink(sink.table) if sink.table else (None, Guarantee.AT_LEAST_ONCE)
            reached += [found] if found else []
            name = sink.table.name if sink.table else RESULT
            promises += [Promise(source, name, self._promised(source, guarantee)) for source in _sources_of(sink)]
        tables = [s.table for s in scans.values()] + [s.table for s in self._sinks if s.table]
        reached += [self._sink(table)[0] for table in self._dead_letters(tables)]
        return reached, list(dict.fromkeys(promises))

    def _context(self, table: Table) -> Context:
        return Context("check", self._folder, self._clock, self._script.settings)

    def _source(self, scan: Scan) -> Reached:
        source = registry.source(scan.table, scan.schema, self._context(scan.table))
        if source.shared:
            self._shared.add(scan.table.name)
        if source.shared or source.repeats:
            self._repeating.add(scan.table.name)
        if source.dealt is not None:
            self._dealt[scan.table.name] = source.dealt
        return _reached("source", scan.table, _asked(lambda: self._with_formats(scan, source.check())))

    def _check_parts(self) -> None:
        """Make sure that no query needs the rows of a table that are in other processes."""
        scans = [n for s in self._sinks for n in walk(s) if isinstance(n, Scan)]
        refuse_shared_state(self._sinks, {id(n) for n in scans if n.table.name in self._shared})
        splitting.check(self._sinks, {id(n): self._dealt[n.table.name] for n in scans if n.table.name in self._dealt})

    def _with_formats(self, scan: Scan, report: Report) -> Report:
        """Add to what was found of a source what was found of the formats of its rows."""
        said = BlockDecoder(scan.schema, scan.table).check() if report.ok else []
        return replace(report, message="; ".join([report.message, *said]))

    def _promised(self, source: str, guarantee: Guarantee) -> str:
        """A partition that changes hands after a crash is read again by a process that knows nothing of the rows' epoch."""
        again = source in self._repeating and guarantee is Guarantee.EXACTLY_ONCE
        return (Guarantee.AT_LEAST_ONCE if again else guarantee).value

    def _lookups(self) -> list[Reached]:
        nodes = {n.table.name: n for s in self._sinks for n in walk(s) if isinstance(n, LookupJoin)}
        lookups = Lookups(self._script.settings, self._clock, lambda _, name: self._context(nodes[name].table))
        for node in nodes.values():
            lookups.asker(node)
        return [_reached("lookup", node.table, report) for node, report in lookups.check()]

    def _sink(self, table: Table) -> tuple[Reached, Guarantee]:
        sink = registry.sink(table, self._context(table))
        return _reached("sink", table, _asked(sink.check)), sink.guarantee

    def _dead_letters(self, of: list[Table]) -> list[Table]:
        tables = self._script.session.tables
        wanted = dict.fromkeys(
            text.value
            for table in of
            if (text := table.option("tailrace.dead-letter.table")) is not None and text.value in tables
        )
        return [tables[name] for name in wanted]


def _asked(question: object) -> Report:
    """Ask; an error is an answer too."""
    assert callable(question)
    try:
        report: Report = question()
    except ConfigError:
        raise
    except TailraceError as error:
        return Report.failed(error)
    return report


def _reached(role: str, table: Table, report: Report) -> Reached:
    return Reached(role, table.name, table.connector, report.ok, report.message)


def _sources_of(sink: Sink) -> list[str]:
    return list(dict.fromkeys(n.table.name for n in walk(sink) if isinstance(n, Scan)))
