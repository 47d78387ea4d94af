"""What a test pushes, as the runtime's source threads would hand it to the engine, and what becomes of rows it can't take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.base import Block
from tailrace.connectors.decoding import BlockDecoder
from tailrace.connectors.registry import options_of
from tailrace.engine.executor import Executor, TickResult
from tailrace.errors import ConfigError, DataError
from tailrace.formats.base import Decoded, Rows
from tailrace.plan import nodes
from tailrace.plan.catalog import Table
from tailrace.runtime.assembly import letter_tables
from tailrace.runtime.bad_rows import LATE, ErrorPolicies
from tailrace.runtime.dead_letters import Letter, envelopes
from tailrace.runtime.fetch import Arrived
from tailrace.runtime.policy import policy_of
from tailrace.settings import value
from tailrace.testing.emitted import Refused

JOB = "test"
Arrival = tuple[str, Arrived]


class Arrivals:
    """Makes arrivals out of rows and bytes, counting the offsets of each partition."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._timezone = value(settings, "table.local-time-zone")
        self._offsets: dict[tuple[str, str], int] = {}

    def of_rows(self, scan: str, partition: str, frame: pl.DataFrame) -> Arrival:
        """Give columns as an arrival."""
        return self._arrival(scan, Block(partition, frame, None), Decoded(frame))

    def of_bytes(self, scan: str, partition: str, node: nodes.Scan, payloads: Sequence[bytes | str | None]) -> Arrival:
        """
        Give payloads as an arrival, decoded by the format of the table.

        Raises:
            ConfigError: the table has no format, or columns that do not come from payloads.
        """
        table = node.table
        options = options_of(table)
        beside = [c.name for c in table.metadata if c.name in node.schema]
        if options.value is None or options.key is not None or beside:
            what = f"has '{beside[0]}', which is not in the payload" if beside else "is not read from payloads alone"
            raise ConfigError(f"table '{table.name}' {what}", hint="push rows")
        block = Block(partition, Rows.of([p.encode() if isinstance(p, str) else p for p in payloads]), None)
        return self._arrival(scan, block, BlockDecoder(node.schema, table, options, self._timezone).decode(block))

    def _arrival(self, scan: str, block: Block, decoded: Decoded) -> Arrival:
        first = self._offsets.get((scan, block.partition), 0)
        count = len(block)
        self._offsets[scan, block.partition] = first + count
        offsets = np.arange(first, first + count, dtype=np.int64)
        placed = Block(block.partition, block.values, first + count, offsets)
        rejects = tuple(decoded.rejects)
        arrived = Arrived(
            block.partition, first + count, decoded.frame, decoded.kept, rejects, offsets, placed, count, placed.size
        )
        return scan, arrived


class Refusals:
    """Does with rows that can't be taken what their tables say; the first that would end a job is its failure."""

    def __init__(self, executor: Executor, tables: Mapping[str, Table]) -> None:
        self._policies = {name: policy_of(scan.table) for name, scan in executor.scans.items()}
        self._at_work = ErrorPolicies(self._policies)
        self.letters: dict[str, Table] = letter_tables(
            self._policies, tables, {n: s.table for n, s in executor.scans.items()}
        )
        self.refused: list[Refused] = []
        self.failure: DataError | None = None

    def take(self, arrivals: Sequence[Arrival], result: TickResult, clock: Clock) -> list[tuple[str, pl.DataFrame]]:
        """Take what a tick could not read or use; give dead letters, as rows of their tables."""
        letters: list[tuple[str, Letter]] = []
        for scan, arrived in arrivals:
            self._unread(scan, arrived, letters)
        for rejected in result.rejected:
            policy = self._policies.get(rejected.scan or "")
            late = rejected.stage == LATE
            action = (policy.on_late if late else policy.on_error) if policy else ("drop" if late else "fail")
            self.refused.append(Refused(rejected.stage, rejected.reason, _rows(rejected.rows), action))
            try:
                letters += self._at_work.rejected(arrivals, rejected)
            except DataError as error:
                self.failure = self.failure or error
        return [(name, self._envelopes(name, letters, clock)) for name in dict.fromkeys(n for n, _ in letters)]

    def _unread(self, scan: str, arrived: Arrived, letters: list[tuple[str, Letter]]) -> None:
        for reject in arrived.rejects:
            payload = arrived.block.values.row(reject.row) if arrived.block is not None else None
            rows = [{"payload": payload}]
            self.refused.append(Refused("decode", reject.reason, rows, self._policies[scan].on_error))
        try:
            letters += self._at_work.unread(scan, arrived)
        except DataError as error:
            self.failure = self.failure or error

    def _envelopes(self, name: str, letters: Sequence[tuple[str, Letter]], clock: Clock) -> pl.DataFrame:
        mine = [letter for target, letter in letters if target == name]
        return envelopes(self.letters[name], mine, JOB, "", clock.now_ms())


def _rows(frame: pl.DataFrame) -> list[dict[str, object]]:
    """Give rows without the columns that only the engine knows."""
    return frame.select([c for c in frame.columns if not c.startswith("$")]).to_dicts()
