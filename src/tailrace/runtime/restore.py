"""Where a run begins: sinks are opened, the right checkpoint is chosen, read and taken up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog

from tailrace.connectors.base import AtLeastOnceSink, StagedSink, TransactionalSink
from tailrace.errors import TailraceError, TerminalError
from tailrace.runtime.coordinator import Role
from tailrace.runtime.halt import Halt
from tailrace.runtime.outlet import Outlet
from tailrace.runtime.recovery import choose
from tailrace.state.store import Checkpoint, StateStore
from tailrace.state.store_manifest import Damaged

OPEN_SECONDS = 120.0
"""So long a sink may take to open, beside the time that its target may be away; each has shorter limits of its own."""

T = TypeVar("T")

_log = structlog.get_logger("tailrace.runtime")


@dataclass(slots=True)
class Start:
    """What a run begins with: the epoch (0: the beginning), its checkpoint, and what the user must know."""

    epoch: int = 0
    checkpoint: Checkpoint | None = None
    notes: list[str] = field(default_factory=list)


def open_sinks(outlets: Mapping[str, Outlet], store: StateStore | None, halt: Halt, patience: float) -> Start:
    """
    Ask the targets what they have, restore the checkpoint that fits, and open all sinks at it.

    A target that is away is tried again for `patience` seconds.

    Raises:
        TerminalError: no checkpoint fits, or none can be read; a target stayed away.
        TailraceError: a sink can't be opened.
    """
    marks = _marks(outlets, halt, patience)
    start = Start(max(marks.values(), default=0)) if store is None else _choose(store, marks)
    staged = start.checkpoint.manifest.staged if start.checkpoint else {}
    waiting = []
    for name, outlet in outlets.items():
        sink = outlet.sink
        if isinstance(sink, StagedSink):
            known = name in staged
            epoch, given = (start.epoch, staged[name]) if known else (0, None)
            waiting.append(_opened(outlet, partial(sink.open, given, epoch), patience))
        elif isinstance(sink, AtLeastOnceSink):
            outlet.call(partial(sink.goes_on, start.epoch))
            waiting.append(_opened(outlet, sink.open, patience))
    for future in waiting:
        _result(future, halt, patience)
    return start


def _opened(outlet: Outlet, open_: Callable[[], T], patience: float) -> Future[T]:
    return outlet.call(lambda: outlet.patiently(open_, patience))


def _marks(outlets: Mapping[str, Outlet], halt: Halt, patience: float) -> dict[str, int]:
    waiting: dict[str, Future[int]] = {}
    for name, outlet in outlets.items():
        if outlet.role is Role.MARKED and isinstance(outlet.sink, TransactionalSink):
            waiting[name] = _opened(outlet, outlet.sink.open, patience)
    return {name: _result(future, halt, patience) for name, future in waiting.items()}


def _result(future: Future[T], halt: Halt, patience: float) -> T:
    until = time.monotonic() + patience + OPEN_SECONDS
    while time.monotonic() < until:
        try:
            return future.result(0.2)
        except NotYet:
            if halt.look() and not future.done():
                break
    raise TerminalError(f"a sink was not open after {patience + OPEN_SECONDS:g} s")


def _choose(store: StateStore, marks: Mapping[str, int]) -> Start:
    marks = _of_this_state(store, marks)
    on_disk = store.epochs
    wanted = choose(on_disk, marks)
    start = Start(wanted)
    if wanted:
        start = _load(store, [e for e in reversed(on_disk) if e <= wanted], exact=bool(marks))
    store.resume(start.epoch)
    return start


def _of_this_state(store: StateStore, marks: Mapping[str, int]) -> dict[str, int]:
    """Leave out sinks that are new in the pipeline: the checkpoints say nothing of them."""
    if not store.epochs:
        return dict(marks)
    try:
        known = store.manifest(store.epochs[-1]).staged
    except Damaged:
        return dict(marks)
    return {name: mark for name, mark in marks.items() if name in known or mark}


def _load(store: StateStore, epochs: list[int], *, exact: bool) -> Start:
    """Load the first of these that can be read; with `exact` only the first will do."""
    notes: list[str] = []
    for epoch in epochs:
        try:
            checkpoint = store.load(epoch)
        except Damaged as error:
            if exact:
                hint = "bring the file back; the target has committed this epoch, an older one would give rows twice"
                raise TerminalError(f"checkpoint {epoch} is damaged: {error}", hint=hint) from None
            notes.append(f"checkpoint {epoch} is damaged ({error})")
            continue
        if notes:
            notes.append(_fallback(store, checkpoint, epochs[0]))
            _log.warning("; ".join(notes))
        return Start(epoch, checkpoint, notes)
    hint = "bring back a good copy, or name a new folder with --state to start from the beginning"
    raise TerminalError(f"no checkpoint can be read: {'; '.join(notes)}", hint=hint)


def _fallback(store: StateStore, checkpoint: Checkpoint, newest: int) -> str:
    manifest = checkpoint.manifest
    taken = datetime.fromtimestamp(manifest.time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    try:
        again = f"{store.manifest(newest).rows_in - manifest.rows_in} rows"
    except (Damaged, TailraceError):
        again = "everything read since then"
    return f"going on from checkpoint {manifest.epoch} of {taken} UTC: {again} will be read again"
