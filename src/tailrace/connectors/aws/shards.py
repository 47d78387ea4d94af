"""
The shards of a stream: children are read when their parents have been read to the end, and each goes on where it stood.

`Stream` is what a service says (Kinesis, DynamoDB Streams), `Lineage` decides what is to be read, and asks nobody.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from tailrace.connectors.base import Position, Positions
from tailrace.errors import TerminalError, TransientError

Kind = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]


@dataclass(frozen=True, slots=True)
class Start:
    """Where to read a shard from: a kind of iterator with its time (milliseconds since 1970) or sequence number."""

    kind: Kind
    time: int = 0
    sequence: str = ""


OLDEST = Start("TRIM_HORIZON")


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as it is listed: of which ones it came by a split or merge, and whether nothing is added to it any more."""

    name: str
    parents: tuple[str, ...] = ()
    closed: bool = False
    keys: tuple[int, int] | None = None
    """The least and the greatest hash of its partition keys."""


class Record(NamedTuple):
    """
    One record; of several that came as one, `sub` counts from 0, and `last` says that no more of them follows.

    `time` is when the service took it, in milliseconds since 1970.
    """

    sequence: str
    payload: Any
    key: str | None = None
    time: int | None = None
    sub: int = 0
    last: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """What one request gave: records in order, where to go on (None: the shard is closed, and this was the end of it)."""

    records: Sequence[Record]
    next: str | None
    behind_ms: int | None = None
    """How long ago the service took the next record that is there; 0: there is none, None: not known."""
    size: int = 0
    """About how many bytes it holds."""
    sequence: str = ""
    """The sequence number of the last record of the service, also where records of it were left out."""


class ExpiredIteratorError(TransientError):
    """An iterator was kept for too long; another one of the same place will do."""


class Stream(ABC):
    """What a service says of a stream and its shards; used by several threads at a time. Each request may raise our errors."""

    shown: str
    """The stream, as messages show it."""

    @abstractmethod
    def shards(self) -> list[Shard]:
        """List all shards that still have records, or may get some."""

    @abstractmethod
    def iterator(self, shard: str, start: Start) -> str:
        """
        Give what `page` begins with.

        A service that knows no times may begin earlier than `start.time`, and leave out records that are older.
        """

    @abstractmethod
    def page(self, shard: Shard, iterator: str, rows: int) -> Page:
        """
        Give the next records, at most so many (of the service's).

        Raises:
            ExpiredIteratorError: the iterator is good no more.
        """


def position_after(record: Record) -> dict[str, Any]:
    """
    Give the position behind a record.

    >>> position_after(Record("17", b"")), position_after(Record("17", b"", sub=3, last=False))
    ({'after': '17'}, {'at': '17', 'sub': 3})
    """
    return {"after": record.sequence} if record.last else {"at": record.sequence, "sub": record.sub}


def start_of(position: Position) -> Start:
    """
    Give where to go on from a position; of records that came as one, those that were given before are left out by the reader.

    >>> start_of({"at": "17", "sub": 3})
    Start(kind='AT_SEQUENCE_NUMBER', time=0, sequence='17')
    """
    if "after" in position:
        return Start("AFTER_SEQUENCE_NUMBER", sequence=position["after"])
    if "at" in position:
        return Start("AT_SEQUENCE_NUMBER", sequence=position["at"])
    return Start("AT_TIMESTAMP", time=position["time"]) if "time" in position else OLDEST


@dataclass(slots=True)
class Lineage:
    """
    Which shards are to be read now, and from where.

    `fresh` is where shards without a position begin; those that come of known ones begin at their oldest record, as
    all of it is new. `begun` is the time at which reading from LATEST began, which positions keep.
    """

    shown: str
    positions: Positions
    fresh: Start
    begun: int = 0
    over: set[str] = field(default_factory=set)
    """Shards that were read to their end, or before which reading began."""
    started: set[str] = field(default_factory=set)
    _known: dict[str, Shard] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.over |= {name for name, p in self.positions.items() if p.get("over")}
        self.begun = next((p["begun"] for p in self.positions.values() if "begun" in p), self.begun)

    def update(self, shards: Iterable[Shard]) -> None:
        """
        Take the list of shards as it is now.

        Raises:
            TerminalError: a shard that was not read to its end is there no more.
        """
        first = not self._known
        self._known = {s.name: s for s in shards}
        lost = [n for n in {*self.positions, *self.started} - self.over if n not in self._known]
        if lost:
            message = f"{self.shown}: shard '{min(lost)}' is there no more, and was not read to its end"
            hint = "keep records for longer (retention), or begin with new state: rows are lost"
            raise TerminalError(message, hint=hint)
        if first:
            self._pass_over()

    def _pass_over(self) -> None:
        """Leave out what was read before: shards that known ones came of; and from LATEST all that are closed already."""
        for name in self.positions:
            self.over |= {a for a in self._ancestors(name) if a not in self.positions}
        if not self.positions and self.fresh.kind == "LATEST":
            self.over |= {s.name for s in self._known.values() if s.closed}

    def _ancestors(self, name: str) -> set[str]:
        found: set[str] = set()
        waiting = [name]
        while waiting:
            shard = self._known.get(waiting.pop())
            for parent in shard.parents if shard else ():
                if parent in self._known and parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def ready(self) -> list[tuple[Shard, Start]]:
        """Give the shards that are to be read from now on: those whose parents are all read to the end, or gone."""
        found = [
            s
            for s in self._known.values()
            if s.name not in self.started
            and s.name not in self.over
            and all(p in self.over or p not in self._known for p in s.parents)
        ]
        self.started |= {s.name for s in found}
        return [(s, self._start(s)) for s in found]

    def _start(self, shard: Shard) -> Start:
        position = self.positions.get(shard.name)
        if position is not None:
            return start_of(position)
        if self.fresh.kind != "LATEST":
            return self.fresh
        known = {*self.positions, *self.started} - {shard.name}
        if known & self._ancestors(shard.name):
            return OLDEST  # all of it is newer than what was read of its parents
        return Start("AT_TIMESTAMP", time=self.begun) if self.positions else Start("LATEST", time=self.begun)

    def ended(self, name: str) -> None:
        """Hear that all of a shard was given."""
        self.over.add(name)

    def position(self, start: Start) -> Mapping[str, Any]:
        """Give the position of a shard of which nothing was given yet."""
        if start.kind in {"LATEST", "AT_TIMESTAMP"}:
            return {"time": start.time} | self.mark
        return {"start": start.kind} | self.mark

    @property
    def mark(self) -> dict[str, int]:
        """What each position keeps of where reading began."""
        return {"begun": self.begun} if self.fresh.kind == "LATEST" else {}
