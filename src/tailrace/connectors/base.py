"""
What a connector is: sources that can be read again, and sinks that say what they guarantee.

The class that a source or sink derives from *is* its guarantee. Threads: a reader is used by its fetch thread alone, a
sink by its own thread alone; `check` may be called from anywhere. Nothing here waits without a bound.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.cache_store import CacheStore
from tailrace.errors import ConfigError, DataError, TailraceError
from tailrace.formats.base import MetadataKey, Reject, Rows
from tailrace.options import OptionSet, Values
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

Position = Any
"""Where a partition stands: a JSON value that only its connector understands ("resume after this")."""

Positions = dict[str, Position]
"""The position of each partition, by the partition's name."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a connector may know of the run: the job's id (stable over restarts), a folder of its own, and the time."""

    job: str
    folder: Path
    clock: Clock
    settings: Mapping[str, str] = field(default_factory=dict)
    traced: bool = False
    """Whether traces go with rows: then sources of messages give their headers, and sinks write those of traces."""


class Guarantee(Enum):
    """What a sink promises for a source that can be read again."""

    EXACTLY_ONCE = "exactly-once"
    EFFECTIVELY_ONCE = "effectively-once"
    AT_LEAST_ONCE = "at-least-once"


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found: whether the system can be used, and one line to show (what is wrong, and what to do)."""

    ok: bool
    message: str
    error: TailraceError | None = None
    """What was raised, if it was."""

    @classmethod
    def failed(cls, error: TailraceError) -> Report:
        """Give the report of an error."""
        return cls(False, f"{error.message} ({error.hint})" if error.hint else error.message, error)


@dataclass(frozen=True, slots=True)
class Limit:
    """How much one `poll` may give, and how long it may wait for the first row."""

    rows: int = 32_768
    bytes: int = 8 << 20
    wait_seconds: float = 0.05


@dataclass(frozen=True, slots=True)
class Block:
    """
    Rows of one partition, in order, as they came.

    `values` are bytes to decode, or already the physical columns of the scan (by name) from a columnar source; with the
    column `batch.KIND` where the table says what has changed.
    `position` resumes after the last row. `offsets` (int64) is each row's own offset, for reports and dead letters.
    `metadata` has one column for each metadata key asked for; beside bytes also one for each column of PARTITIONED BY
    that the scan asks for, by its name, as those are not in the bytes. `headers` (of type `formats.base.HEADERS`) are needed for dead
    letters, and where traces go with rows (`Context.traced`). `originals` are rows that have no place in the
    columns, as bytes for dead letters. `size` is its weight in bytes for the queues.
    """

    partition: str
    values: Rows | pl.DataFrame
    position: Position
    offsets: npt.NDArray[np.int64] | None = None
    keys: Rows | None = None
    metadata: pl.DataFrame | None = None
    headers: pl.Series | None = None
    rejects: tuple[Reject, ...] = ()
    originals: Mapping[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        if isinstance(self.values, pl.DataFrame):
            return int(self.values.estimated_size())
        return int((self.values.ends - self.values.starts).sum()) + 16 * len(self.values)


@dataclass(frozen=True, slots=True)
class Assigned:
    """The reader now reads this partition."""

    partition: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """The reader has lost this partition (to another member of its group)."""

    partition: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The partition has no more rows, ever."""

    partition: str


Change = Assigned | Revoked | Ended


class Reader(ABC):
    """A source that runs. Its thread calls `poll` and `changes` in turn."""

    @abstractmethod
    def poll(self, limit: Limit) -> list[Block]:
        """
        Give what is ready, at most about the limit; wait at most `limit.wait_seconds` for a first row.

        Raises:
            TransientError: away for now; it is called again after a pause.
            TerminalError: it can't go on (a position that has expired, an authorisation withdrawn).
        """

    @abstractmethod
    def changes(self) -> list[Change]:
        """Give what happened to partitions since the last call, in order; `Assigned` comes before a partition's rows."""

    def acknowledge(self, positions: Positions) -> None:
        """Hear that everything up to these positions is durable; for brokers that want to know. May be skipped."""

    @property
    def wants_positions(self) -> bool:
        """Whether it does something in `acknowledge`; then it is not closed before the last checkpoint is complete."""
        return False

    def keep_alive(self) -> None:
        """Hear that rows can't be taken for now: called now and then instead of `poll`; gives none."""

    def behind(self) -> Collection[str]:
        """
        Give the partitions that have, or may have, more rows at the source than were given; never blocks.

        They are not idle, however long their next row takes to get here.
        """
        return ()

    def lags(self) -> Mapping[str, int | None]:
        """Give the rows that wait in each partition (None: not known), as far as is known without asking anybody."""
        return {}

    def behind_ms(self) -> Mapping[str, int]:
        """Tell how many milliseconds partitions are behind the newest row at the source, where the system says so by itself."""
        return {}

    @property
    def throttled(self) -> float:
        """The seconds for which the system has held it back since it was opened, as by a quota."""
        return 0.0

    def sent_times(self) -> Sequence[int]:
        """
        Tell when the system took some of the rows that were given since the last call, in milliseconds since 1970.

        A few of each call of `poll` will do; none where the system does not say.
        """
        return ()

    def rest(self) -> list[Block]:
        """
        Take no more, and give what was taken from a system that will not give it again.

        Called once, when it is to stop, before it is closed.
        """
        return []

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; not called after a crash."""


class Source(ABC):
    """A source as it was declared: knows its options, and nothing of the run. It can be read again from any position."""

    bounded: bool = False
    """Whether it ends by itself."""
    shared: bool = False
    """Whether other processes read its partitions too, each some, and they change hands: rows of a key may go anywhere."""
    repeats: bool = False
    """Whether rows may come again after a crash, so that no sink can promise that each counts once."""
    dealt: tuple[str, ...] | None = None
    """
    Where other processes read its other rows, and stay with them: the columns by whose values rows are dealt out (none: it is not known).
    """

    @abstractmethod
    def open(self, positions: Positions) -> Reader:
        """
        Begin to read after these positions; partitions that they don't name begin as the start mode says.

        Raises:
            ConfigError, TransientError, TerminalError: as for `poll`.
        """

    @abstractmethod
    def check(self) -> Report:
        """Reach the real system and say what is wrong; bounded in time, changes nothing."""


class Refusals:
    """Where a sink leaves rows that its system can't take; without a policy for them the first one ends the job."""

    tolerates: bool = False
    """Whether refused rows go another way than to end the job: then it is worth while to look for each."""

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        """
        Take rows that can't be written; they belong to the epoch that is written now.

        Raises:
            DataError: their policy is to fail.
        """
        raise DataError(reason, hint=hint)


class Sink(ABC):
    """
    Takes batches, in order, on a thread of its own. One of the classes below says how it keeps them.

    The runtime calls `open` once, then `write` any number of times and `prepare` at each checkpoint. A row that the
    system can't take goes to `refusals` alone, before the epoch is prepared.
    """

    guarantee: Guarantee
    refusals: Refusals = Refusals()
    traced: bool = False
    """
    Whether it writes the traces of rows into headers (`trace_headers.written`): then batches have the column
    `$traceparent` where traces go with rows.
    """
    resumes: bool = False
    """
    Whether `flush` and `prepare` may be called again after a TransientError, as it keeps the rows that were not taken.

    Else the job goes back to its last checkpoint, and rows come again.
    """
    linger_seconds: float = 0.0
    """How long what was written may wait for more before `flush` is called."""

    @property
    def full(self) -> bool:
        """Whether it has to be flushed before it takes more."""
        return False

    @abstractmethod
    def write(self, batch: pl.DataFrame) -> None:
        """
        Take a batch whose columns are those of `table.written` by name (and `batch.KIND`, if the stream updates).

        May block: that is the back-pressure.
        """

    @abstractmethod
    def check(self) -> Report:
        """Reach the real system and say what is wrong; bounded in time, changes nothing."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything. What is not committed stays unseen."""

    @property
    def throttled(self) -> float:
        """The seconds for which the system has held it back since it was opened, as by a quota."""
        return 0.0

    @property
    def readings(self) -> Mapping[str, float]:
        """What else is measured of its system, by name, as far as is known without asking anybody."""
        return {}

    def flush(self) -> None:
        """
        Hand on what is buffered; the runtime calls it when the sink's queue has run empty.

        Raises:
            TransientError: the target is away for now; see `resumes`.
        """


class AtLeastOnceSink(Sink):
    """Rows are seen as soon as they are flushed; after a crash some come again."""

    guarantee = Guarantee.AT_LEAST_ONCE

    def goes_on(self, epoch: int) -> None:
        """Hear which checkpoint the run goes on from (0: from the beginning), before `open`: rows that come are of the next."""

    @abstractmethod
    def open(self) -> None:
        """Connect."""

    @abstractmethod
    def prepare(self, epoch: int) -> None:
        """Make everything written so far durable at the target."""


class StagedSink(Sink):
    """
    Exactly-once by staging: `prepare` makes the epoch's rows durable and unseen, `commit` makes them seen.

    `commit` is idempotent: after a crash it is called again with the same `staged`.
    """

    guarantee = Guarantee.EXACTLY_ONCE

    @abstractmethod
    def open(self, staged: Any | None, epoch: int) -> None:
        """
        Recover: `staged` is what `prepare` gave for `epoch`, the checkpoint that is restored (None and 0: a new job).

        Commits that epoch if it is not yet, and drops whatever a later, unfinished one left.
        """

    def finish(self) -> None:
        """Hear that no more rows will come: what the next `prepare` stages is all."""

    def round_off(self) -> None:
        """Hear that another job may begin after the next epoch: all rows must be seen once that is committed."""

    def inherited(self, staged: Any) -> Any | None:
        """Of what `prepare` gave for a committed epoch, give what a job that begins there is opened with; None: nothing."""
        return None

    @abstractmethod
    def prepare(self, epoch: int) -> Any:
        """Make everything written so far durable, and give the JSON value that `commit` and `open` need."""

    @abstractmethod
    def commit(self, epoch: int, staged: Any) -> None:
        """Make the epoch seen; may be called again."""


class TransactionalSink(Sink):
    """
    Exactly-once by a mark in the target: the rows of an epoch and its number are committed in one transaction.

    The checkpoint of epoch n is durable before transaction n commits; recovery starts from the epoch that the mark names.
    """

    guarantee = Guarantee.EXACTLY_ONCE

    def sift(self, batches: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
        """
        Give the rows that the target will take, and refuse the others; nothing is written.

        Called before the rows of an epoch are staged, or the epoch is prepared, where refused rows are tolerated.
        """
        return list(batches)

    def prepare(self, epoch: int) -> None:
        """Hear that all rows of the epoch were written: the last moment to refuse any. It is committed later."""

    @abstractmethod
    def open(self) -> int:
        """Fence off older runs, drop what they left uncommitted, and give the last committed epoch (0: none)."""

    @abstractmethod
    def commit(self, epoch: int) -> None:
        """Commit everything written since the last commit, together with the mark `epoch`."""


class Lookup(ABC):
    """
    A table that is asked, while a job runs, for the rows that have certain keys.

    All calls but `check` come on one event loop, up to `tailrace.lookup.max-in-flight` of them at a time. Distinct keys,
    caches, time-outs, retries and what happens while the table is away are the caller's. A client that blocks works on a
    thread: `await asyncio.to_thread(...)`.
    """

    keys_per_request: int = 10_000
    """So many keys at most come with one `get`."""

    async def open(self) -> None:
        """
        Connect; called before the first request, and again after it has failed.

        Raises:
            TransientError: away for now; it is called again after a pause.
            TerminalError: it can't be used (a table that is not there, an authorisation withdrawn).
        """

    @abstractmethod
    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        """
        Give all rows that have one of these keys, in any order: the columns that were asked for, the keys' among them.

        `keys` has a row for each key, distinct and without NULL, in the types of the table's columns. Rows of other keys are left out
        by the caller, so it may give more.

        Raises:
            TransientError, TerminalError: as for `open`.
        """

    @abstractmethod
    def check(self) -> Report:
        """Reach the real system and say what is wrong; bounded in time, changes nothing."""

    async def close(self) -> None:
        """Let go of everything."""


class WholeOnlyError(ConfigError):
    """Rows of a table can't be looked up one by one: it is read as a whole."""


class Connector(ABC):
    """A connector by name: its options, and how sources and sinks are made from a table."""

    name: str
    doc: str
    options: OptionSet
    metadata: tuple[MetadataKey, ...] = ()
    formats: bool = True
    """Whether the table also names a `format`, with options of its own."""
    own_formats: tuple[str, ...] = ()
    """Formats that the connector reads and writes itself (as Parquet files)."""
    narrows: bool = False
    """Whether a source of columns gives only those fields of a ROW that the schema names; else it gives all declared."""
    place: str = ""
    """The option that says what a table stands for: two tables with the same are of the same rows."""
    upsert: bool = False
    """Whether rows say what stands at the primary key of the table, which is their key."""
    format_metadata: bool = False
    """Whether a table may have the metadata columns of its format."""
    partitions: bool = False
    """Whether PARTITIONED BY means something; its columns are then beside the bytes of the rows."""
    partitions_in_rows: bool = False
    """Whether those columns are in the bytes of the rows as well."""

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> Source:
        """
        Make a source that gives the physical columns and metadata of `schema`.

        Raises:
            ConfigError: it can't be read, or not with these options.
        """
        raise self.cannot("read")

    def sink(self, table: Table, options: Values, context: Context) -> Sink:
        """
        Make a sink for rows of `table.written`.

        Raises:
            ConfigError: it can't be written, or not with these options.
        """
        raise self.cannot("written")

    lookups: bool = False
    """Whether its tables can be looked up in: by `lookup`, or (with a source that ends) by a cache of the whole table."""

    def lookup(self, table: Table, options: Values, schema: Schema, keys: tuple[str, ...], context: Context) -> Lookup:
        """
        Make what answers for the columns of `schema`, by those of `keys`.

        Raises:
            WholeOnlyError: rows can't be looked up one by one.
            ConfigError: not with these options.
        """
        hint = "set 'lookup.cache' = 'FULL'"
        raise WholeOnlyError(f"a table of connector '{self.name}' is only looked up in as a whole", hint=hint)

    def cache_store(self, options: Values) -> CacheStore:
        """
        Give the system as a shared cache of lookups; `options` are those of the table in front of which it stands (`cache...`).

        Raises:
            ConfigError: it is none, or not with these options.
        """
        raise self.cannot("a shared cache")

    def refuses_updates(self, table: Table) -> str:
        """Say why a sink of this table can't take rows that are updated or deleted; empty if it can."""
        return f"connector '{self.name}' only appends"

    def cannot(self, verb: str) -> ConfigError:
        """Give the error for a use that this connector has not."""
        return ConfigError(f"a table of connector '{self.name}' can't be {verb}")
