"""From a plan to the things that run it: sources, decoders, sinks, error policies, dead-letter sinks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tailrace.clock import Clock
from tailrace.connectors import registry
from tailrace.connectors.base import Context, Sink, Source, TransactionalSink
from tailrace.connectors.decoding import BlockDecoder
from tailrace.engine.executor import Executor
from tailrace.engine.tracing import Tracer
from tailrace.errors import ConfigError, did_you_mean
from tailrace.plan import nodes, splitting
from tailrace.plan.catalog import Table
from tailrace.plan.describe import describe
from tailrace.plan.redaction import has_field
from tailrace.plan.state_bounds import state_bound
from tailrace.runtime.bad_rows import ErrorPolicies
from tailrace.runtime.dead_letters import check_table
from tailrace.runtime.decode_line import Decode
from tailrace.runtime.lookups import Lookups
from tailrace.runtime.policy import Policy, policy_of
from tailrace.runtime.staging import StagedTransactional
from tailrace.settings import value

DEAD_LETTERS = "dead-letters-"


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of a job, each by the stable id of its scan or sink."""

    executor: Executor
    sources: dict[str, Source]
    decoders: dict[str, list[Decode]]
    sinks: dict[str, Sink]
    policies: ErrorPolicies
    letters: dict[str, Table]
    """The tables that take dead letters, by name; each one's sink is `dead-letters-<name>`."""
    refusing: dict[str, Policy]
    """The policies for rows that sinks can't take, by sink."""
    lookups: Lookups

    @property
    def fingerprint(self) -> dict[str, str]:
        """What state is matched by: operators, sources and sinks by their ids."""
        scans = {n: f"source of {s.table.connector}" for n, s in self.executor.scans.items()}
        sinks = {n: f"sink of {_connector(s)}" for n, s in self.executor.sinks.items()}
        letters = {DEAD_LETTERS + n: f"sink of {t.connector}" for n, t in self.letters.items()}
        return {**self.executor.fingerprint(), **scans, **sinks, **letters}

    @property
    def version(self) -> str:
        """A short text that is another for another pipeline."""
        text = "\n".join(f"{k}={v}" for k, v in sorted(self.fingerprint.items()))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def table_of(self, sink: str) -> str:
        """Name the table of a sink; empty for that of a query."""
        if sink.startswith(DEAD_LETTERS):
            return sink.removeprefix(DEAD_LETTERS)
        table = self.executor.sinks[sink].table
        return table.name if table else ""


def _connector(sink: nodes.Sink) -> str:
    return sink.table.connector if sink.table else "a query"


def _query_sink(name: str, given: Mapping[str, Sink]) -> Sink:
    """Give the sink of a query: the one of its id, or the only one."""
    if name in given:
        return given[name]
    if len(given) != 1:
        raise ConfigError(f"nobody takes the rows of query '{name}'", hint="give a sink for it")
    return next(iter(given.values()))


def refuse_shared_state(plans: Sequence[nodes.Sink], shared: Collection[int]) -> None:
    """
    Make sure that nothing keeps state of rows that are shared with other processes; `shared` has the ids of such scans.

    Raises:
        ConfigError: something does: the rows of a key would be in several processes, each with a part of its state.
    """
    for node in (n for plan in plans for n in nodes.walk(plan)):
        if isinstance(node, nodes.Scan | nodes.AssignWatermark) or not state_bound(node):
            continue
        scan = next((n for n in nodes.walk(node) if id(n) in shared), None)
        if isinstance(scan, nodes.Scan):
            name = scan.table.name
            message = f"table '{name}' shares its partitions with other processes, and this keeps state of its rows"
            hint = f"{describe(node)}; read all partitions of '{name}' in one process, or only filter and compute here"
            raise ConfigError(message, hint=hint, location=node.location)


def letter_tables(
    policies: Mapping[str, Policy], tables: Mapping[str, Table], named: Mapping[str, Table]
) -> dict[str, Table]:
    """
    Give the tables that take the dead letters of these policies, by name; `named` has the table of each policy.

    Raises:
        ConfigError: one is not declared, or can't take them.
    """
    found: dict[str, Table] = {}
    for part, policy in policies.items():
        name = policy.dead_letters
        if name is None:
            continue
        text = named[part].option("tailrace.dead-letter.table")
        location = text.location if text else None
        if name == policy.table:
            message = f"table '{name}' can't take its own dead letters"
            raise ConfigError(message, hint="name another table", location=location)
        if name not in tables:
            hint = did_you_mean(name, tables) or "declare it before the table that uses it"
            raise ConfigError(f"the dead-letter table '{name}' is not declared", hint=hint, location=location)
        check_table(tables[name])
        found[name] = tables[name]
    return found


DECODERS = min(2, os.cpu_count() or 1)
"""The threads that decode the blocks of one source."""


class Assembler:
    """
    Builds the parts of one job.

    `folder` holds a folder for each part that wants one; `durable` says whether it outlives the run: only then are there
    checkpoints. `tracer` follows rows.
    """

    def __init__(
        self,
        job: str,
        folder: Path,
        settings: Mapping[str, str],
        clock: Clock,
        *,
        durable: bool,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer
        self._job = job
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._durable = durable

    def build(self, plans: Sequence[nodes.Sink], tables: Mapping[str, Table], query_sinks: Mapping[str, Sink]) -> Parts:
        """
        Build everything; nothing is opened.

        Raises:
            ConfigError: a table can't be read or written as the plan wants.
        """
        # the executor names scans and sinks, but needs to know which tables end: their sources are made first
        sources = {id(n): self._source(n) for sink in plans for n in nodes.walk(sink) if isinstance(n, nodes.Scan)}
        scans = {id(n): n for sink in plans for n in nodes.walk(sink) if isinstance(n, nodes.Scan)}
        bounded = {scans[i].table.name for i, s in sources.items() if s.bounded}
        refuse_shared_state(plans, {i for i, s in sources.items() if s.shared})
        splitting.check(plans, {i: s.dealt for i, s in sources.items() if s.dealt is not None})
        lookups = Lookups(self._settings, self._clock, self._context)
        executor = Executor(plans, self._settings, self._clock, bounded, lookups.asker, tracer=self._tracer)
        redacted = self._redacted(plans, tables)
        policies = {name: policy_of(scan.table, redacted) for name, scan in executor.scans.items()}
        refusing = {name: policy_of(s.table, redacted) for name, s in executor.sinks.items() if s.table is not None}
        named = {name: scan.table for name, scan in executor.scans.items()}
        named |= {name: s.table for name, s in executor.sinks.items() if s.table is not None}
        letters = letter_tables(policies | refusing, tables, named)
        sinks = self._sinks(executor, letters, query_sinks)
        return Parts(
            executor,
            {name: sources[id(scan)] for name, scan in executor.scans.items()},
            {name: [self._decoder(scan) for _ in range(DECODERS)] for name, scan in executor.scans.items()},
            self._staged(sinks),
            ErrorPolicies(policies),
            letters,
            refusing,
            lookups,
        )

    def _redacted(self, plans: Sequence[nodes.Sink], tables: Mapping[str, Table]) -> tuple[str, ...]:
        """
        Give the columns that must not be shown.

        Raises:
            ConfigError: there is no such column: what was meant would be shown.
        """
        names: tuple[str, ...] = value(self._settings, "tailrace.redact")
        schemas = [t.schema for t in tables.values()]
        schemas += [n.schema for plan in plans for n in nodes.walk(plan)] if names else []
        known = {name for schema in schemas for name in schema.names}
        for name in names:
            if name not in known and not any(has_field(f.type, [name]) for s in schemas for f in s):
                hint = did_you_mean(name, known) or "name columns of tables, or fields in them"
                raise ConfigError(f"'tailrace.redact' names '{name}', which no table has", hint=hint)
        return names

    def _context(self, kind: str, name: str) -> Context:
        folder = self._folder / quote(f"{kind}-{name}", safe="")
        folder.mkdir(mode=0o700, exist_ok=True)
        return Context(self._job, folder, self._clock, self._settings, traced=self._tracer is not None)

    def _source(self, scan: nodes.Scan) -> Source:
        return registry.source(scan.table, scan.schema, self._context("source", scan.table.name))

    def _decoder(self, scan: nodes.Scan) -> Decode:
        timezone = value(self._settings, "table.local-time-zone")
        options, traced = registry.options_of(scan.table), self._tracer is not None
        return BlockDecoder(scan.schema, scan.table, options, timezone, traced=traced).decode

    def _sinks(
        self, executor: Executor, letters: Mapping[str, Table], query_sinks: Mapping[str, Sink]
    ) -> dict[str, Sink]:
        sinks: dict[str, Sink] = {}
        for name, node in executor.sinks.items():
            if node.table is None:
                sinks[name] = _query_sink(name, query_sinks)
            else:
                registry.check_updates(node)
                sinks[name] = registry.sink(node.table, self._context("sink", name))
        for name, table in letters.items():
            sinks[DEAD_LETTERS + name] = registry.sink(table, self._context("sink", DEAD_LETTERS + name))
        return sinks

    def _staged(self, sinks: dict[str, Sink]) -> dict[str, Sink]:
        """Stage the output of marked sinks where there are several: they can't commit as one."""
        marked = [n for n, s in sinks.items() if isinstance(s, TransactionalSink)]
        if len(marked) < 2 or not self._durable:
            return sinks
        return {n: self._stage(n, s) if isinstance(s, TransactionalSink) else s for n, s in sinks.items()}

    def _stage(self, name: str, sink: TransactionalSink) -> Sink:
        return StagedTransactional(sink, self._folder / quote(f"staged-{name}", safe=""))
