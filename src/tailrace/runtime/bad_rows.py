"""The error policy at work: rows that could not be taken fail the job, are counted, or become dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import structlog

from tailrace.connectors import trace_headers
from tailrace.engine.batch import TRACEPARENT
from tailrace.engine.operator import Rejected
from tailrace.errors import DataError, Location, TerminalError
from tailrace.runtime.dead_letters import Letter, as_json, headers_of, key_of, payload_of
from tailrace.runtime.fetch import Arrived
from tailrace.runtime.policy import DEAD_LETTER, DROP, FAIL, Policy
from tailrace.runtime.redaction import readable

_log = structlog.get_logger("tailrace.rows")

LATE = "late"
FEW = 1000
"""So many rows must have come before a share of bad ones means anything."""
_SAMPLE = 80


@dataclass(slots=True)
class Tally:
    """What was not taken, by source: counts by reason, and dead letters."""

    dropped: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    bad: int = 0


class ErrorPolicies:
    """
    Decides about bad rows, by the policy of the table of each scan.

    A row that comes from no known scan (after operators that join several) falls under `fail`, a late one is counted.
    """

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._policies = dict(policies)
        self.tallies: dict[str, Tally] = {scan: Tally() for scan in policies}

    def policy(self, scan: str) -> Policy:
        """Give the policy of a scan."""
        return self._policies[scan]

    def keeps_bytes(self, scan: str) -> bool:
        """Whether the bytes of the scan's rows may be needed until the tick is over."""
        return self._policies[scan].keeps_bytes

    def unread(self, scan: str, arrived: Arrived) -> list[tuple[str, Letter]]:
        """
        Take the rows that the format (or the source) could not read; give dead letters by their table.

        Raises:
            DataError: the policy is to fail.
        """
        found = []
        for reject in arrived.rejects:
            place = _Place(scan, arrived, reject.row)
            found += self._one(place, "decode", scan, reject.code, reject.reason, None)
        return found

    def rejected(self, arrivals: Sequence[tuple[str, Arrived]], rejected: Rejected) -> list[tuple[str, Letter]]:
        """
        Take rows that an operator could not; `arrivals` are the inputs of the tick, in order.

        Raises:
            DataError: the policy is to fail.
        """
        if rejected.stage == LATE and not self._wants_late():
            self._count_late(arrivals, rejected)
            return []
        ends = np.cumsum([len(a.frame) for _, a in arrivals], dtype=np.int64)
        found = []
        for row, origin in enumerate(rejected.origin.tolist()):
            place = _place(arrivals, ends, origin, rejected, row)
            found += self._one(
                place, rejected.stage, rejected.operator, rejected.code, rejected.reason, rejected.location
            )
        return found

    def _wants_late(self) -> bool:
        return any(p.on_late == DEAD_LETTER for p in self._policies.values())

    def _count_late(self, arrivals: Sequence[tuple[str, Arrived]], rejected: Rejected) -> None:
        """Count late rows without looking at each."""
        ends = np.cumsum([len(a.frame) for _, a in arrivals], dtype=np.int64)
        inputs = np.searchsorted(ends, rejected.origin, side="right")
        for i, count in zip(*np.unique(inputs, return_counts=True), strict=True):
            known = i < len(arrivals) and (rejected.origin >= 0).all()
            scan = arrivals[i][0] if known else (rejected.scan or "")
            self.tallies.setdefault(scan, Tally()).dropped[LATE] += int(count)

    def _one(
        self, place: _Place, stage: str, operator: str, code: str, reason: str, location: Location | None
    ) -> list[tuple[str, Letter]]:
        policy = self._policies.get(place.scan) or Policy(place.scan)
        tally = self.tallies.setdefault(place.scan, Tally())
        action = policy.on_late if stage == LATE else policy.on_error
        if stage != LATE:
            tally.bad += 1
        if action == FAIL:
            raise _failure(place, policy, stage, reason, location)
        told = {"table": policy.table, "stage": stage, "operator": operator, "code": code, **place.told(policy)}
        if action == DROP:
            _log.warning("a row was dropped", **told)
            tally.dropped[stage if stage == LATE else f"{stage}: {code}"] += 1
            return []
        _log.warning("a row became a dead letter", **told)
        tally.dead_letters += 1
        assert policy.dead_letters is not None
        return [(policy.dead_letters, place.letter(policy.table, stage, operator, code, reason))]

    def check_shares(self, rows: Mapping[str, int]) -> None:
        """
        Stop a job that mostly meets bad rows; `rows` has what each scan has read.

        Raises:
            TerminalError: the share of a table's bad rows has passed its limit.
        """
        for scan, policy in self._policies.items():
            bad, seen = self.tallies[scan].bad, rows.get(scan, 0)
            if policy.max_share is not None and seen >= FEW and bad > policy.max_share * seen:
                message = f"{bad} of {seen} rows of table '{policy.table}' are bad, more than the limit of "
                hint = "look at the dead letters or counts, mend the producer or the table, and start again"
                raise TerminalError(f"{message}{policy.max_share:g} ('tailrace.max-error-share')", hint=hint)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row came from: a row of a block; where it is not known, the `rows` that an operator had."""

    scan: str
    arrived: Arrived | None = None
    row: int = 0
    rows: pl.DataFrame | None = None

    @property
    def partition(self) -> str | None:
        return self.arrived.partition if self.arrived else None

    @property
    def offset(self) -> int | None:
        return self.arrived.offset(self.row) if self.arrived else None

    @property
    def payload(self) -> bytes | None:
        if self.rows is not None and self.row < len(self.rows):
            return as_json(self.rows, self.row)
        block = self.arrived.block if self.arrived else None
        return payload_of(block, self.row) if block else None

    @property
    def trace_id(self) -> str | None:
        """The trace of the row, if it has one."""
        arrived = self.arrived
        if arrived is None:
            return None
        if arrived.block is not None and arrived.block.headers is not None:
            traces = trace_headers.read(arrived.block.headers.slice(self.row, 1))
            return None if traces is None else str(traces[0])[3:35]
        if TRACEPARENT not in arrived.frame.columns:
            return None
        at = self.row if arrived.kept is None else int(np.searchsorted(arrived.kept, self.row))
        header = arrived.frame[TRACEPARENT][at] if at < len(arrived.frame) else None
        return None if header is None else str(header)[3:35]

    def told(self, policy: Policy) -> dict[str, Any]:
        """Give what a log line says of the row; of what is in it only as much as was asked for."""
        given: dict[str, Any] = {"partition": self.partition, "offset": self.offset, "trace_id": self.trace_id}
        if policy.samples:
            given["sample"] = sample(self.payload, policy.redacted).removeprefix("; ")
        return {k: v for k, v in given.items() if v is not None}

    def letter(self, source: str, stage: str, operator: str, code: str, reason: str) -> Letter:
        block = self.arrived.block if self.arrived else None
        headers = headers_of(block, self.row) if block else None
        key = key_of(block, self.row) if block else None
        return Letter(source, self.partition, self.offset, stage, operator, code, reason, self.payload, headers, key)


def _place(
    arrivals: Sequence[tuple[str, Arrived]], ends: np.ndarray, origin: int, rejected: Rejected, row: int
) -> _Place:
    if origin < 0 or not len(ends) or origin >= ends[-1]:
        return _Place(rejected.scan or "", row=row, rows=rejected.rows)
    i = int(np.searchsorted(ends, origin, side="right"))
    name, arrived = arrivals[i]
    start = int(ends[i]) - len(arrived.frame)
    return _Place(name, arrived, arrived.row_in_block(origin - start))


def _failure(place: _Place, policy: Policy, stage: str, reason: str, location: Location | None) -> DataError:
    if not policy.table:  # made from constants: there is no row to mend
        hint = "leave such rows out with WHERE, or write TRY_CAST"
        return DataError(f"{reason} (stage {stage})", hint=hint, location=location)
    where = [f"source '{policy.table}'"]
    where += [f"partition '{place.partition}'"] if place.partition is not None else []
    where += [f"offset {place.offset}"] if place.offset is not None else []
    shown = sample(place.payload, policy.redacted) if policy.samples else ""
    hint = "mend the row, or set 'tailrace.on-error' = 'drop' or 'dead-letter' for the table"
    if not policy.samples:
        hint += "; 'tailrace.error-samples' = 'true' shows the row's start"
    return DataError(f"{', '.join(where)}: {reason} (stage {stage}){shown}", hint=hint, location=location)


def sample(payload: bytes | None, redacted: Collection[str] = ()) -> str:
    """
    Give the start of a row in words, to be put behind an error; nothing that is not printable, and no column in `redacted`.

    >>> sample(b"4111,1"), sample(b"4111,1", ["card"])
    ("; 6 bytes: '4111,1'", '; 6 bytes, hidden')
    """
    if payload is None:
        return ""
    shown = readable(payload, redacted)
    if shown is None:
        return f"; {len(payload)} bytes, hidden"
    text = shown[:_SAMPLE].decode("utf-8", "replace")
    printable = "".join(c if c.isprintable() else "." for c in text)
    return f"; {len(payload)} bytes: {printable!r}"
