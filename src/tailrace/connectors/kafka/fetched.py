"""What both ways of reading give: pieces of one partition each, and what happened to partitions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.connectors.base import Limit
from tailrace.connectors.kafka.client import TopicPartition
from tailrace.formats.base import HEADERS, Rows

NO_HEADERS = pl.Series("headers", [[]], dtype=HEADERS)
"""The headers of a message that has none."""

TIMESTAMP_TYPES = ("NoTimestampType", "CreateTime", "LogAppendTime")


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What of a message is asked for beside its payload and offset.

    With `traces` and without `headers` it is enough to have the headers of messages that seem to have some, which costs little.
    """

    keys: bool = False
    times: bool = False
    headers: bool = False
    traces: bool = False

    @property
    def some_headers(self) -> bool:
        """Whether headers are wanted, for whatever."""
        return self.headers or self.traces


@dataclass(frozen=True, slots=True)
class Piece:
    """Messages of one partition, in order; what was not asked for is None, and so are headers if no message has any."""

    partition: TopicPartition
    values: Rows
    offsets: npt.NDArray[np.int64]
    keys: Rows | None = None
    times: npt.NDArray[np.int64] | None = None
    time_types: npt.NDArray[np.int32] | None = None
    epochs: npt.NDArray[np.int32] | None = None
    headers: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.offsets)

    def head(self, count: int) -> Piece:
        """Give the first messages."""
        if count >= len(self):
            return self
        return Piece(
            self.partition,
            _head(self.values, count),
            self.offsets[:count],
            None if self.keys is None else _head(self.keys, count),
            None if self.times is None else self.times[:count],
            None if self.time_types is None else self.time_types[:count],
            None if self.epochs is None else self.epochs[:count],
            None if self.headers is None else self.headers[:count],
        )


def _head(rows: Rows, count: int) -> Rows:
    return Rows(rows.data, rows.starts[:count], rows.ends[:count], None if rows.nulls is None else rows.nulls[:count])


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that happened to a partition (or None: to the client): an error code, its offset and its words."""

    partition: TopicPartition | None
    code: int
    offset: int
    reason: str


@dataclass(slots=True)
class Fetched:
    """What one look gave."""

    pieces: list[Piece] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    """The times of some of the messages, in milliseconds since 1970."""


class Fetcher(ABC):
    """Reads messages of the partitions that it is told to."""

    @abstractmethod
    def assign(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read these partitions too, from these offsets on."""

    @abstractmethod
    def unassign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these partitions no more."""

    @abstractmethod
    def fetch(self, limit: Limit) -> Fetched:
        """Give what is there, up to about the limit; waits for a first message as long as that says."""

    @abstractmethod
    def end_of(self, partition: TopicPartition) -> int | None:
        """Give the offset behind a partition's last message, as the client knows it from its last fetch."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""
