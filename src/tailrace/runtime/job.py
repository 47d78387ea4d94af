"""
A job: a pipeline that runs, from its start to its end.

Threads: one for each source (`fetch`), the caller's for the engine (`loop`), one for each sink (`outlet`), one for
checkpoints (`checkpointer`). Whichever fails first ends the job; its state stays at the last complete checkpoint.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import structlog

from tailrace.clock import Clock, SystemClock
from tailrace.connectors.base import Positions, Sink
from tailrace.engine.executor import Executor
from tailrace.engine.tracing import Tracer
from tailrace.errors import TerminalError, TransientError
from tailrace.plan import nodes
from tailrace.plan.catalog import Table
from tailrace.runtime.assembly import DEAD_LETTERS, Assembler, Parts
from tailrace.runtime.bad_rows import Tally
from tailrace.runtime.checkpointer import Checkpointer
from tailrace.runtime.control import Control
from tailrace.runtime.coordinator import Coordinator, Event
from tailrace.runtime.dead_letters import Letter, envelopes
from tailrace.runtime.fetch import Fetcher, Item
from tailrace.runtime.halt import Halt
from tailrace.runtime.inspection import Inspection, ScriptText
from tailrace.runtime.loop import Loop
from tailrace.runtime.observation import Observation, PartitionStatus, partition_status
from tailrace.runtime.outlet import Outlet
from tailrace.runtime.policy import Policy
from tailrace.runtime.queues import Bell, ByteQueue
from tailrace.runtime.refused_rows import RefusedRows
from tailrace.runtime.restore import Start, open_sinks
from tailrace.runtime.settings import JobSettings
from tailrace.runtime.staging import StagedTransactional
from tailrace.runtime.summary import (
    CheckpointStatus,
    SinkStatus,
    SinkSummary,
    SourceStatus,
    SourceSummary,
    Status,
    Summary,
    peak_memory,
)
from tailrace.state.files import failed
from tailrace.state.store import StateStore

CLOSE_SECONDS = 30.0
"""So long the threads of a job may take to end; then it ends without them."""

GIVE_UP_SECONDS = 2.0
"""So long they may take when the job did not end by itself."""

_log = structlog.get_logger("tailrace.runtime")


class InterruptedJobError(TerminalError):
    """A system that the job writes to was away; a job with state can go on from its last checkpoint."""


class Job:
    """
    Runs the plans of one job, once.

    With `state` (a folder of its own) it takes checkpoints and goes on from the last one; a job that came to its end
    begins anew. Without, nothing outlives the run: sinks still commit at each interval, all or nothing. `query_sinks`
    take the rows of sinks without a table, by id (or the only one); `tables` are those that dead letters may go to;
    `tracer` follows rows and checkpoints; `texts` are the scripts that it was made of, by name.
    """

    def __init__(
        self,
        name: str,
        sinks: Sequence[nodes.Sink],
        settings: Mapping[str, str] | None = None,
        *,
        state: Path | None = None,
        clock: Clock | None = None,
        query_sinks: Mapping[str, Sink] | None = None,
        tables: Mapping[str, Table] | None = None,
        allow_state_drop: bool = False,
        tracer: Tracer | None = None,
        texts: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.name = name
        self._tracer = tracer
        self._plans = tuple(sinks)
        self._all_settings = dict(settings or {})
        self._settings = JobSettings.of(self._all_settings)
        self._state = state
        self._clock = clock or SystemClock()
        self._query_sinks = dict(query_sinks or {})
        self._tables = dict(tables or {})
        self._allow_drop = allow_state_drop
        self._texts = tuple(texts)
        self._halt = Halt()
        self._bell = Bell(self._halt)
        self._parts: Parts | None = None
        self._fetchers: dict[str, Fetcher] = {}
        self._outlets: dict[str, Outlet] = {}
        self._checkpointer: Checkpointer | None = None
        self._loop: Loop | None = None
        self.inspection: Inspection | None = None
        """Questions to it, once it runs."""
        self.control: Control | None = None
        """Orders to it, once it runs."""
        self._stopping = False
        self._close_seconds = CLOSE_SECONDS
        self._phase = "starting"
        self._began = self._clock.monotonic()

    def run(self) -> Summary:
        """
        Run to the end, or until `stop`.

        Raises:
            ConfigError: the pipeline or its state can't be used; nothing was read.
            DataError: a row that its table's policy does not let pass.
            TerminalError: it can't go on; its state is that of the last complete checkpoint.
        """
        self._began = self._clock.monotonic()
        with ExitStack() as stack:
            stack.enter_context(structlog.contextvars.bound_contextvars(job=self.name))
            store = self._open_store(stack)
            start, finished = self._run(store, stack)
            self._phase = "finished" if finished else "stopped"
            return self._summary(start, finished=finished)

    def stop(self) -> None:
        """
        Read no more, put through what was read, take a checkpoint, and end. Returns at once.

        If that takes longer than its limit, the job fails; its state is that of the last checkpoint. May be called from
        any thread, or a signal handler.
        """
        if not self._stopping:
            self._halt.expect(self._settings.stop_limit, self._not_stopped)
        self._stopping = True
        for fetcher in list(self._fetchers.values()):
            fetcher.stop()
        if self._loop is not None:
            self._loop.stopping = True
        self._bell.ring()

    def _not_stopped(self) -> TerminalError:
        """Give the error of a job that was stopped and does not get to its end."""
        busy = [f"'{n}'" for n, o in self._outlets.items() if o.waiting]
        what = f": {', '.join(busy)} did not take all rows" if busy else ""
        message = f"job '{self.name}' was stopped and not done after {self._settings.stop_limit:g} s{what}"
        hint = "nothing is lost: the next run goes on from the last checkpoint; 'tailrace.stop.limit' gives more time"
        self._close_seconds = GIVE_UP_SECONDS
        return TerminalError(message, hint=hint)

    def _open_store(self, stack: ExitStack) -> StateStore | None:
        if self._state is None:
            return None
        store = StateStore(self._state, self.name, self._clock)
        stack.callback(store.close)
        return store

    def _folder(self, store: StateStore | None, stack: ExitStack) -> Path:
        """Give the folder in which sources and sinks have folders of their own."""
        if store is None:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tailrace-")))
        folder = store.folder / "connectors"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _run(self, store: StateStore | None, stack: ExitStack) -> tuple[Start, bool]:
        job = store.job if store is not None else uuid.uuid4().hex
        folder = self._folder(store, stack)
        durable = store is not None
        assembler = Assembler(job, folder, self._all_settings, self._clock, durable=durable, tracer=self._tracer)
        parts = self._parts = assembler.build(self._plans, self._tables, self._query_sinks)
        if store is not None:
            store.match(parts.fingerprint, allow_drop=self._allow_drop)
        parts.lookups.obey(self._halt)
        parts.lookups.require([s.table for s in self._plans if s.table is not None])
        self._outlets = {n: self._outlet(n, s) for n, s in parts.sinks.items()}
        for name, policy in parts.refusing.items():
            self._set_policy(parts, name, policy)
        try:
            start, finished = self._start_and_work(parts, store)
        except BaseException as error:  # noqa: BLE001  it is raised again, unless another was first
            self._halt.set(error)
            raise self._failure() from None
        finally:
            self._close()
        if self._halt.failure is not None:
            raise self._failure()
        return start, finished

    def _outlet(self, name: str, sink: Sink) -> Outlet:
        settings = self._settings
        return Outlet(name, sink, settings.sink_queue, self._halt, self._report, settings.sink_retry_limit)

    def _set_policy(self, parts: Parts, name: str, policy: Policy) -> None:
        """Let a sink leave the rows that it can't take where its table says."""
        outlet, target = self._outlets[name], policy.dead_letters

        def send(letters: list[Letter]) -> None:
            assert target is not None
            frame = envelopes(parts.letters[target], letters, self.name, parts.version, self._clock.now_ms())
            self._outlets[DEAD_LETTERS + target].letters(outlet.epoch + 1, frame)

        table = parts.executor.sinks[name].table
        assert table is not None
        outlet.refused = RefusedRows(policy, table.written, name, send)
        outlet.sink.refusals = outlet.refused
        if isinstance(outlet.sink, StagedTransactional):
            outlet.sink.inner.refusals = outlet.refused
        if target is not None:
            letters = self._outlets[DEAD_LETTERS + target]
            letters.feeders.append(outlet)
            outlet.fed.append(letters)

    def _report(self, event: Event) -> None:
        assert self._checkpointer is not None
        self._checkpointer.report(event)

    def _start_and_work(self, parts: Parts, store: StateStore | None) -> tuple[Start, bool]:
        for outlet in self._outlets.values():
            outlet.start()
        start = open_sinks(self._outlets, store, self._halt, self._settings.start_limit)
        if start.checkpoint is not None and start.checkpoint.manifest.final and store is not None:
            # it had ended before it died: opening the sinks has committed what was left
            store.finish()
            return start, True
        if start.checkpoint is not None:
            parts.executor.restore(start.checkpoint.deltas)
            _log.info("restored", epoch=start.epoch)
        self._loop = self._make_loop(parts, store, start)
        assert self._checkpointer is not None
        self.inspection = Inspection(
            parts,
            self._loop.between,
            self._clock,
            self._all_settings,
            self._checkpointer.history,
            store.folder if store is not None else None,
            ScriptText(self._texts, list(self._tables.values())),
        )
        self.control = Control(self._loop, self.stop, parts, self._all_settings, self._clock)
        for fetcher in self._fetchers.values():
            fetcher.start()
        if self._stopping:
            self.stop()
        self._phase = "running"
        finished = self._loop.run()
        if self._halt.failure is not None:
            raise self._halt.failure
        return start, finished

    def _make_loop(self, parts: Parts, store: StateStore | None, start: Start) -> Loop:
        for outlet in self._outlets.values():
            outlet.epoch = start.epoch
        roles = {n: o.role for n, o in self._outlets.items()}
        coordinator = Coordinator(roles, start.epoch, self._settings.timeout)
        self._checkpointer = Checkpointer(
            coordinator, self._outlets, store, self._halt, self._clock, self._epoch_complete, self._tracer
        )
        self._checkpointer.start()
        manifest = start.checkpoint.manifest if start.checkpoint else None
        positions = manifest.positions if manifest else {}
        self._fetchers = {scan: self._fetcher(scan, parts, positions.get(scan, {})) for scan in parts.sources}
        return Loop(
            parts,
            self._fetchers,
            self._outlets,
            self._checkpointer,
            self._settings,
            self._bell,
            self._halt,
            self._clock,
            job=self.name,
            durable=store is not None,
            positions=positions,
            rows_before=manifest.rows_in if manifest else 0,
        )

    def _fetcher(self, scan: str, parts: Parts, positions: Positions) -> Fetcher:
        queue: ByteQueue[Item] = ByteQueue(self._settings.source_queue, self._halt, self._bell.ring)
        return Fetcher(
            scan,
            parts.sources[scan],
            parts.decoders[scan],
            positions,
            queue,
            self._halt,
            self._clock,
            label=parts.executor.scans[scan].table.name,
            keep_blocks=parts.policies.keeps_bytes(scan),
            retry_limit=self._settings.retry_limit,
            start_limit=self._settings.start_limit,
        )

    def _epoch_complete(self, positions: dict[str, Positions]) -> None:
        """Hear of a complete epoch, on the checkpoint thread."""
        for scan, fetcher in self._fetchers.items():
            fetcher.acknowledge(positions.get(scan, {}))
        self._bell.ring()

    def _close(self) -> None:
        """End all threads, each within a bound; sinks let go of what is not committed."""
        if self._parts is not None:
            self._parts.lookups.close()
        for fetcher in self._fetchers.values():
            fetcher.stop()
        if self._checkpointer is not None:
            self._checkpointer.wait(self._close_seconds)
        for fetcher in self._fetchers.values():
            fetcher.release()
        late = [f"source {n}" for n, f in self._fetchers.items() if not f.join(self._close_seconds)]
        late += [f"sink {n}" for n, o in self._outlets.items() if not o.stop(self._close_seconds)]
        for what in late:
            _log.warning("did not end in time", what=what, seconds=self._close_seconds)

    def _failure(self) -> BaseException:
        """Give the job's failure as the caller should see it."""
        failure = self._halt.failure
        assert failure is not None
        if isinstance(failure, TransientError):
            hint = failure.hint or "the state is intact: start the job again when the other side is back"
            return InterruptedJobError(failure.message, hint=hint, location=failure.location)
        if isinstance(failure, OSError):
            return failed("use", str(failure.filename or "a file"), failure)
        return failure

    @property
    def durable(self) -> bool:
        """Whether it keeps its state in a folder."""
        return self._state is not None

    @property
    def checkpoints(self) -> int:
        """How many checkpoints it has completed."""
        return self._checkpointer.completed if self._checkpointer else 0

    def status(self) -> Status:
        """Give the job's counters as they are now; from any thread."""
        checkpoint = self._checkpointer.status if self._checkpointer else CheckpointStatus()
        return Status(
            self.name,
            "stopping" if self._stopping and self._phase == "running" else self._phase,
            self._clock.monotonic() - self._began,
            tuple(self._source_status(n, f) for n, f in list(self._fetchers.items())),
            tuple(self._sink_status(n, o) for n, o in list(self._outlets.items())),
            checkpoint,
        )

    def observe(self) -> Observation:
        """Give all that can be seen of it now; from any thread."""
        status, loop = self.status(), self._loop
        if self._parts is None or loop is None:
            return Observation(status)
        executor = self._parts.executor
        partitions = [p for n, f in list(self._fetchers.items()) for p in self._partitions(n, f, loop, executor)]
        return Observation(
            status,
            tuple(executor.statistics()),
            tuple(partitions),
            loop.latency.counted(),
            executor.delays(),
            self.checkpoints,
            broker_delays={n: f.broker_delay.counted() for n, f in self._fetchers.items() if f.tells_times},
            caches=self._parts.lookups.caches(),
        )

    def _partitions(self, name: str, fetcher: Fetcher, loop: Loop, executor: Executor) -> list[PartitionStatus]:
        table, progress = executor.scans[name].table.name, loop.progress.get(name, {})
        return partition_status(name, table, progress, dict(fetcher.partition_rows), fetcher.lags, fetcher.behind_ms)

    def _source_status(self, name: str, fetcher: Fetcher) -> SourceStatus:
        assert self._parts is not None
        tally = self._parts.policies.tallies[name]
        watermark = self._loop.watermarks.get(name) if self._loop else None
        return SourceStatus(
            name,
            self._parts.executor.scans[name].table.name,
            fetcher.rows,
            fetcher.bytes,
            fetcher.lag,
            watermark,
            dict(tally.dropped),
            tally.dead_letters,
            fetcher.queue.bytes,
            fetcher.retrying,
            fetcher.queue.waiting.seconds,
            throttled=fetcher.throttled,
            behind_ms=max(fetcher.behind_ms.values(), default=None),
        )

    def _sink_status(self, name: str, outlet: Outlet) -> SinkStatus:
        assert self._parts is not None
        tally = outlet.refused.tally if outlet.refused is not None else Tally()
        table = self._parts.table_of(name)
        dropped, letters = dict(tally.dropped), tally.dead_letters
        retries, away, held, busy = outlet.retries, outlet.away, outlet.held.seconds, outlet.busy.seconds
        return SinkStatus(
            name,
            table,
            outlet.rows,
            outlet.bytes,
            outlet.waited,
            dropped,
            letters,
            retries,
            away,
            held,
            busy,
            throttled=outlet.sink.throttled,
            readings=dict(outlet.sink.readings),
        )

    def _summary(self, start: Start, *, finished: bool) -> Summary:
        status = self.status()
        return Summary(
            self.name,
            tuple(SourceSummary(s.name, s.table, s.rows, s.dropped, s.dead_letters) for s in status.sources),
            tuple(SinkSummary(s.name, s.table, s.rows, s.dropped, s.dead_letters) for s in status.sinks),
            status.seconds,
            self.checkpoints,
            start.epoch,
            finished,
            peak_memory(),
            (*start.notes, *(self._parts.executor.notes() if self._parts is not None else ())),
        )
