"""A reader of topics: assigns partitions to itself, follows new ones, knows where each stands and where it ends."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import structlog

from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Position, Positions, Reader
from tailrace.connectors.kafka import starts
from tailrace.connectors.kafka.client import Client, TopicPartition
from tailrace.connectors.kafka.cluster import Topics, missing
from tailrace.connectors.kafka.failures import AWAY, MISSING, Code, failure
from tailrace.connectors.kafka.fetched import NO_HEADERS, TIMESTAMP_TYPES, Fetched, Fetcher, Piece, Problem
from tailrace.connectors.kafka.library import BEGINNING
from tailrace.connectors.kafka.options import Replica
from tailrace.connectors.kafka.starts import Mark
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.formats.base import HEADERS, Reject, Rows

PROBE_SECONDS = 1.0
"""How long a look at the cluster from within `poll` may take."""

LAG_SECONDS = 0.5
"""How long a lag that was computed is good enough."""

_log = structlog.get_logger("tailrace.kafka")
_EXPIRED = (Code.AUTO_OFFSET_RESET, Code.OFFSET_OUT_OF_RANGE)
_COLUMNS: dict[str, pl.DataType] = {
    "topic": pl.String(),
    "partition": pl.Int32(),
    "headers": HEADERS,
    "leader-epoch": pl.Int32(),
    "offset": pl.Int64(),
    "timestamp": pl.Datetime("ms", "UTC"),
    "timestamp-type": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reader is to read: topics, from where, to where, and what of each message."""

    topics: Topics
    start: Mark
    bound: Mark | None
    discovery_seconds: float
    metadata: tuple[str, ...] = ()
    headers: bool = False
    group: str = ""
    """The group to commit offsets for; empty for none."""
    shared: bool = False
    """Whether the group says which partitions to read."""
    replica: Replica | None = None
    """Which part of the partitions to read; None for all."""
    keyed: bool = False
    """Whether each row must have a key: it has told which partition the row is in."""


@dataclass(slots=True)
class Standing:
    """Where a partition stands: the next offset (None before it is known), and where it ends."""

    name: str
    next: int | None
    stop: int | None
    part: str = ""
    """Which part of how many partitions the reader has, where it has not all."""

    def position(self) -> Position:
        part = {"part": self.part} if self.part else {}
        return {"offset": self.next} | part | ({} if self.stop is None else {"stop": self.stop})

    @property
    def over(self) -> bool:
        return self.stop is not None and self.next is not None and self.next >= self.stop


class KafkaReader(Reader):
    """Reads by a fetcher; the client is for what the cluster is asked."""

    def __init__(self, plan: Plan, client: Client, fetcher: Fetcher, positions: Positions) -> None:
        self._plan = plan
        self._client = client
        self._fetcher = fetcher
        self._live: dict[TopicPartition, Standing] = {}
        self._seen: set[TopicPartition] = set()
        self._changes: list[Change] = []
        self._first: list[Block] = []
        self._times: list[int] = []
        self._failure: TailraceError | None = None
        self._away = ""
        self._lags: tuple[float, dict[str, int | None]] = (0.0, {})
        self._commits = client.lib.queue_new(client.handle) if plan.group else None
        self._sent = self._settled = 0
        """The commits of offsets, and how many of them have ended."""
        self._looked = time.monotonic()
        self._part = ""
        self._begin(positions)

    def _begin(self, positions: Positions) -> None:
        given = {parse(name): position for name, position in positions.items()}
        found = self._mine(self._plan.topics.partitions(self._client), given)
        if not found and self._plan.bound is None:
            _log.warning("no topic matches yet", topics=str(self._plan.topics))
        gone = [tp for tp in given if tp not in found]
        if gone:
            raise self._gone(gone[0])
        new = [tp for tp in found if tp not in given]
        standing = self._resumed(given) | self._fresh(new, self._plan.start)
        self._add(standing, new)

    def _mine(self, found: list[TopicPartition], given: Mapping[TopicPartition, Position]) -> list[TopicPartition]:
        """
        Give the partitions that this process is to read.

        Raises:
            ConfigError: there are too few for so many processes.
            TerminalError: the state is that of another part of the rows.
        """
        replica, where = self._plan.replica, self._plan.topics.location
        self._part = f"{replica} of {len(found)} partitions" if replica is not None else ""
        before = next((p.get("part", "") for p in given.values() if p.get("part", "") != self._part), None)
        if before is not None:
            now, then = self._part or "all partitions", before or "all partitions"
            message = f"{self._plan.topics}: the state is of {then}, and this process would read {now}"
            hint = "its keys would be in several processes: begin all of them with new state, and read the topic again"
            raise TerminalError(message, hint=hint, location=where)
        if replica is None:
            return found
        if len(found) < replica.count:
            message = (
                f"{self._plan.topics} has {len(found)} partitions, and {replica.count} processes are to share them"
            )
            raise ConfigError(message, hint="use fewer, at most one for each partition", location=where)
        return [tp for tp in found if replica.reads(tp[1])]

    def _resumed(self, given: Mapping[TopicPartition, Position]) -> dict[TopicPartition, Standing]:
        """Go on from positions; a table that was unbounded when they were taken, and is not now, gets its ends now."""
        bound = self._plan.bound
        if bound is None:
            return {tp: Standing(name_of(tp), p["offset"], None) for tp, p in given.items()}
        endless = [tp for tp, p in given.items() if "stop" not in p]
        ends = starts.end(self._client, bound, endless) if endless else {}
        stops = {tp: p.get("stop", ends.get(tp, p["offset"] or 0)) for tp, p in given.items()}
        return {tp: Standing(name_of(tp), p["offset"], stops[tp]) for tp, p in given.items()}

    def _fresh(self, partitions: list[TopicPartition], start: Mark) -> dict[TopicPartition, Standing]:
        """Look up where partitions begin and end that have no position yet."""
        bound = self._plan.bound
        stops: Mapping[TopicPartition, int] = {}
        if bound is not None:
            stops = starts.end(self._client, bound, partitions)
            partitions = [tp for tp in partitions if tp in stops]
        begins = starts.begin(self._client, start, partitions)
        return {
            tp: Standing(name_of(tp), None if begins[tp] == BEGINNING else begins[tp], stops.get(tp))
            for tp in partitions
        }

    def _add(self, standing: dict[TopicPartition, Standing], new: list[TopicPartition]) -> None:
        """Take partitions on; a start that was looked up goes into a block without rows, so that a restart keeps it."""
        self._seen |= set(standing) | set(new)
        for one in standing.values():
            one.part = self._part
        for tp, one in standing.items():
            self._changes.append(Assigned(one.name))
            if tp in new and (one.next is not None or one.stop is not None):
                self._first.append(self._block(_nothing(tp), one))
            if one.over or one.stop == 0:
                self._changes.append(Ended(one.name))
            else:
                self._live[tp] = one
        read = {tp: BEGINNING if s.next is None else s.next for tp, s in standing.items() if tp in self._live}
        if read:
            self._fetcher.assign(read)

    def poll(self, limit: Limit) -> list[Block]:
        if self._failure is not None:
            failed, self._failure = self._failure, None
            raise failed
        self._client.poll()
        self._heed_commits()
        if self._first:
            blocks, self._first = self._first, []
            return blocks
        self._discover_if_due()
        if not self._reads:
            if limit.wait_seconds and self._plan.bound is None:
                time.sleep(limit.wait_seconds)
            return []
        return self._taken(self._fetcher.fetch(limit))

    def sent_times(self) -> list[int]:
        found, self._times = self._times, []
        return found

    @property
    def _reads(self) -> bool:
        """Whether there is anything to ask the fetcher for."""
        return bool(self._live)

    def _taken(self, fetched: Fetched) -> list[Block]:
        """Give what was fetched as blocks, and take note of what has happened meanwhile."""
        self._times += fetched.sent
        blocks = [b for piece in fetched.pieces if (b := self._arrived(piece)) is not None]
        for problem in fetched.problems:
            self._heed(problem)
        self._heed_client(alive=bool(blocks))
        self._end()
        if self._failure is not None and not blocks:
            failed, self._failure = self._failure, None
            raise failed
        return blocks

    def _arrived(self, piece: Piece) -> Block | None:
        """Make a block of what is within the bounds of its partition."""
        one = self._live.get(piece.partition)
        if one is None:
            return None
        if one.stop is not None:
            piece = piece.head(int(np.searchsorted(piece.offsets, one.stop)))
            one.next = one.stop if not len(piece) else one.next
        if not len(piece):
            return None
        one.next = int(piece.offsets[-1]) + 1
        return self._block(piece, one)

    def _block(self, piece: Piece, one: Standing) -> Block:
        metadata = _metadata(piece, self._plan.metadata) if self._plan.metadata else None
        headers = piece.headers if self._plan.headers else None
        rejects = _without_key(piece) if self._plan.keyed and self._plan.replica is not None else ()
        return Block(one.name, piece.values, one.position(), piece.offsets, piece.keys, metadata, headers, rejects)

    def _heed(self, problem: Problem) -> None:
        """Take note of what happened to a partition; an error is raised once the rows before it are given out."""
        one = self._live.get(problem.partition) if problem.partition else None
        if problem.code == Code.PARTITION_EOF:
            self._away = ""
            if one is not None:
                # transaction markers take offsets too: only this tells that they were passed
                one.next = max(problem.offset, one.next or 0)
            return
        if (problem.partition and one is None) or problem.code == Code.MAX_POLL_EXCEEDED:
            return  # a member that was away for too long joins again by itself
        if problem.code == Code.GROUP_AUTHORIZATION and not self._plan.group:
            return
        if problem.code in AWAY:
            self._away = problem.reason
        elif problem.code in _EXPIRED and problem.partition:
            self._failure = self._expired(problem.partition, problem)
        elif problem.code in MISSING and problem.partition:
            self._failure = self._gone(problem.partition)
        else:
            where = name_of(problem.partition) if problem.partition else str(self._plan.topics)
            code = self._client.fatal()[0] if problem.code == Code.FATAL else problem.code
            self._failure = failure(code, problem.reason, f"{where} can't be read", self._plan.topics.location)

    def _heed_client(self, *, alive: bool) -> None:
        """Take note of what the client has told; a cluster that is away is asked whether it is back."""
        if alive:
            self._away = ""
            self._client.errors.clear()
            return
        if any(code in AWAY and code == Code.ALL_BROKERS_DOWN for code, _ in self._client.errors):
            self._away = "all brokers are down"
        if self._away and self._failure is None:
            try:
                self._plan.topics.partitions(self._client, PROBE_SECONDS)
            except TailraceError as error:
                self._failure = error
                self._client.errors.clear()
            else:
                self._away = ""
                self._client.errors.clear()

    def _expired(self, partition: TopicPartition, problem: Problem) -> TailraceError:
        one = self._live[partition]
        at = one.next if one.next is not None else problem.offset
        try:
            low, high = self._client.watermarks(partition, PROBE_SECONDS)
        except TailraceError:
            low, high = -1, -1
        where = self._plan.topics.location
        if low < 0:
            return TerminalError(f"offset {at} of {one.name} does not exist: {problem.reason}", location=where)
        if at < low:
            text = f"offset {at} of {one.name} has expired: its first is {low} now, so {low - at} offsets are lost"
            hint = "to go on with a gap, set 'properties.auto.offset.reset' = 'earliest', or start with new state"
        else:
            text = f"offset {at} of {one.name} does not exist: its last is {high - 1}; was the topic made anew?"
            hint = "start with new state, or bring back the topic"
        return TerminalError(text, hint=hint, location=where)

    def _gone(self, partition: TopicPartition) -> TailraceError:
        told = missing(self._client, partition[0], self._plan.topics.location, PROBE_SECONDS)
        message = f"{name_of(partition)} is gone: {told.message}"
        return TerminalError(message, hint="bring back the topic, or start with new state", location=told.location)

    def _end(self) -> None:
        over = [tp for tp, one in self._live.items() if one.over]
        if over:
            self._fetcher.unassign(over)
            self._changes += [Ended(self._live.pop(tp).name) for tp in over]

    def _discover_if_due(self) -> None:
        """Look for new partitions; they are read from their beginning, as everything in them is new."""
        every = self._plan.discovery_seconds
        if not every or self._plan.bound is not None or time.monotonic() - self._looked < every:
            return
        self._looked = time.monotonic()
        try:
            self._discover()
        except TransientError as error:
            _log.warning("new partitions can't be looked for", error=error.message)

    def _discover(self) -> None:
        found = self._plan.topics.partitions(self._client, PROBE_SECONDS)
        if self._plan.replica is not None:
            self._mine(found, {found[0]: {"part": self._part}})
            return
        new = [tp for tp in found if tp not in self._seen]
        if new:
            self._add({tp: Standing(name_of(tp), None, None) for tp in new}, new)

    def changes(self) -> list[Change]:
        changes, self._changes = self._changes, []
        return changes

    @property
    def wants_positions(self) -> bool:
        return self._commits is not None

    def acknowledge(self, positions: Positions) -> None:
        offsets = {parse(name): p["offset"] for name, p in positions.items() if p.get("offset") is not None}
        if offsets and self._commits is not None:
            self._commit(offsets)

    def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        with self._client.listed(offsets) as listed:
            self._client.lib.commit_queue(self._client.handle, listed, self._commits, None, None)
        self._sent += 1

    def _heed_commits(self, milliseconds: int = 0) -> None:
        """Take note of how commits of offsets have ended."""
        lib = self._client.lib
        while self._commits is not None and (event := lib.queue_poll(self._commits, milliseconds)):
            self._settled += 1
            failed = bool(lib.event_error(event))
            reason = (lib.event_error_string(event) or b"").decode(errors="replace")
            lib.event_destroy(event)
            if failed:
                self._not_committed(reason)

    def _not_committed(self, reason: str) -> None:
        """Committed offsets are for information: that one could not be written stops nothing."""
        _log.warning("offsets were not committed", group=self._plan.group, error=reason)

    @property
    def throttled(self) -> float:
        return self._client.throttled

    def behind(self) -> Collection[str]:
        """Give the partitions that have something behind the last row; an open transaction is something."""
        return [one.name for tp, one in self._live.items() if not self._caught_up(tp, one)]

    def _caught_up(self, tp: TopicPartition, one: Standing) -> bool:
        high = self._fetcher.end_of(tp)
        return high is not None and one.next is not None and one.next >= high

    def lags(self) -> dict[str, int | None]:
        now = time.monotonic()
        if now - self._lags[0] >= LAG_SECONDS:
            self._lags = (now, {one.name: self._behind(tp, one) for tp, one in self._live.items()})
        return self._lags[1]

    def _behind(self, tp: TopicPartition, one: Standing) -> int | None:
        """Tell how much is between a partition's position and its end."""
        high = self._fetcher.end_of(tp)
        if high is None or one.next is None:
            return None
        return max(0, (high if one.stop is None else one.stop) - one.next)

    def _settle_commits(self) -> None:
        """Wait for the commits that are under way."""
        end = time.monotonic() + PROBE_SECONDS
        while self._settled < self._sent and time.monotonic() < end:
            self._heed_commits(50)

    def close(self) -> None:
        self._settle_commits()
        self._fetcher.close()
        if self._commits is not None:
            queue, self._commits = self._commits, None
            self._client.lib.queue_destroy(queue)
        self._client.close()


def name_of(partition: TopicPartition) -> str:
    """Name a partition as positions and changes do."""
    return f"{partition[0]}-{partition[1]}"


def parse(name: str) -> TopicPartition:
    """Read the name of a partition."""
    topic, _, number = name.rpartition("-")
    return topic, int(number)


def _without_key(piece: Piece) -> tuple[Reject, ...]:
    """Refuse the messages without a key: producers spread them over all partitions, so they belong to nobody."""
    nulls = None if piece.keys is None else piece.keys.nulls
    if nulls is None:
        return ()
    reason = "the row has no key, which tells which process reads it"
    return tuple(Reject(row, "missing", reason) for row in np.flatnonzero(nulls).tolist())


def _nothing(partition: TopicPartition) -> Piece:
    none = np.empty(0, np.int64)
    empty = np.empty(0, np.int32)
    rows = Rows(np.empty(0, np.uint8), none, none)
    return Piece(partition, rows, none, rows, none, empty, empty)


def _metadata(piece: Piece, keys: tuple[str, ...]) -> pl.DataFrame:
    """Give a column for each key, by its name."""
    return pl.DataFrame([_column(piece, key).alias(key) for key in dict.fromkeys(keys)])


def _column(piece: Piece, key: str) -> pl.Series:
    kind = _COLUMNS[key]
    match key:
        case "topic":
            return pl.Series([piece.partition[0]], dtype=kind).new_from_index(0, len(piece))
        case "partition":
            return pl.Series([piece.partition[1]], dtype=kind).new_from_index(0, len(piece))
        case "offset":
            return pl.Series(piece.offsets, dtype=kind)
        case "headers":
            return NO_HEADERS.new_from_index(0, len(piece)) if piece.headers is None else piece.headers
        case "timestamp":
            return pl.Series(piece.times, dtype=pl.Int64).cast(kind)
        case "leader-epoch":
            epochs = pl.Series("e", piece.epochs, dtype=kind)
            return epochs.set(epochs < 0, None)
    kinds = pl.Series(piece.time_types, dtype=pl.Int64)
    return kinds.replace_strict(range(len(TIMESTAMP_TYPES)), TIMESTAMP_TYPES, return_dtype=kind)
