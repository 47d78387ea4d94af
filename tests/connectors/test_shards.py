"""Shards of a stream: what is read when, from where, and that nothing is lost or doubled while they split, merge and fail."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("botocore", reason="AWS: the extra tailrace[kinesis] is not installed")

from connector_kit import drain

from tailrace.connectors.aws.failures import ThrottledError
from tailrace.connectors.aws.shard_reader import Pace, ShardReader
from tailrace.connectors.aws.shards import (
    OLDEST,
    ExpiredIteratorError,
    Lineage,
    Page,
    Record,
    Shard,
    Start,
    Stream,
    position_after,
    start_of,
)
from tailrace.connectors.base import Assigned, Block, Ended, Limit, Position
from tailrace.errors import TerminalError, TransientError
from tailrace.formats.base import Rows

LATEST = Start("LATEST")
PARENT, LEFT, RIGHT = Shard("p", closed=True), Shard("l", ("p",)), Shard("r", ("p",))
MERGED = Shard("m", ("l", "r"))


def lineage(positions: dict[str, Any] | None = None, fresh: Start = OLDEST, begun: int = 0) -> Lineage:
    return Lineage("stream 's'", positions or {}, fresh, begun)


def names(found: list[tuple[Shard, Start]]) -> dict[str, Start]:
    return {shard.name: start for shard, start in found}


def test_children_wait_for_all_their_parents() -> None:
    of = lineage()
    of.update([PARENT, LEFT, RIGHT, MERGED])
    assert names(of.ready()) == {"p": OLDEST}
    assert of.ready() == []
    of.ended("p")
    assert names(of.ready()) == {"l": OLDEST, "r": OLDEST}
    of.ended("r")
    assert of.ready() == []
    of.ended("l")
    assert names(of.ready()) == {"m": OLDEST}


def test_parents_that_are_there_no_more_are_not_waited_for() -> None:
    of = lineage()
    of.update([LEFT, MERGED])
    assert names(of.ready()) == {"l": OLDEST}
    of.ended("l")
    assert names(of.ready()) == {"m": OLDEST}


def test_it_goes_on_from_positions() -> None:
    of = lineage({"p": {"after": "7", "over": True}, "l": {"after": "9"}}, Start("AT_TIMESTAMP", time=5))
    of.update([PARENT, LEFT, RIGHT, MERGED])
    assert names(of.ready()) == {"l": Start("AFTER_SEQUENCE_NUMBER", sequence="9"), "r": Start("AT_TIMESTAMP", time=5)}


def test_what_came_before_known_shards_is_not_read_again() -> None:
    of = lineage({"m": {"after": "9"}})
    of.update([PARENT, LEFT, RIGHT, MERGED])
    assert list(names(of.ready())) == ["m"]


def test_from_latest_only_what_comes_is_read_and_a_restart_keeps_when_that_was() -> None:
    of = lineage(fresh=LATEST, begun=1000)
    of.update([PARENT, LEFT, RIGHT])
    (_, start), _ = of.ready()
    assert start == Start("LATEST", time=1000)
    assert of.position(start) == {"time": 1000, "begun": 1000}
    later = lineage({"l": {"after": "3", "begun": 1000}}, LATEST, 2000)
    later.update([PARENT, Shard("l", ("p",), closed=True), RIGHT, Shard("c", ("l",))])
    assert names(later.ready())["r"] == Start("AT_TIMESTAMP", time=1000)
    later.ended("l")
    assert names(later.ready()) == {"c": OLDEST}


def test_a_shard_that_was_not_read_to_its_end_and_is_gone_is_told() -> None:
    with pytest.raises(TerminalError, match=r"stream 's': shard 'p' is there no more, and was not read to its end"):
        lineage({"p": {"after": "3"}}).update([LEFT, RIGHT])
    lineage({"p": {"after": "3", "over": True}, "l": {"after": "4"}}).update([LEFT, RIGHT])


def test_positions_within_records_that_came_as_one() -> None:
    assert start_of(position_after(Record("5", b"", sub=2, last=False))) == Start("AT_SEQUENCE_NUMBER", sequence="5")
    assert start_of(position_after(Record("5", b"", sub=3))) == Start("AFTER_SEQUENCE_NUMBER", sequence="5")
    assert start_of({"time": 3, "begun": 3}) == Start("AT_TIMESTAMP", time=3)


class Shelf(Stream):
    """A stream in memory; some records hold several. It fails at random."""

    shown = "stream 's'"

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311  a test that can be repeated
        self.made: dict[str, Shard] = {}
        self.rows: dict[str, list[list[Record]]] = {}
        self.open: dict[str, tuple[int, int]] = {}
        self.lock = threading.RLock()
        self.failed: dict[str, int] = defaultdict(int)
        self.number = 0
        self.faults = True
        self._add((0, 64), ())

    def _add(self, keys: tuple[int, int], parents: tuple[str, ...]) -> None:
        name = f"shard-{len(self.made)}"
        self.made[name], self.rows[name], self.open[name] = Shard(name, parents), [], keys

    def put(self, key: int, *values: int) -> None:
        """Add values of a key as one record."""
        with self.lock:
            name = next(n for n, (low, high) in self.open.items() if low <= key < high)
            self.number += 1
            given = enumerate(values)
            sequence, count = f"{self.number:09d}", len(values) - 1
            self.rows[name].append(
                [Record(sequence, f"{key} {v}".encode(), str(key), self.number, i, i == count) for i, v in given]
            )

    def reshard(self) -> None:
        """Split a shard, or merge two neighbours."""
        with self.lock:
            ranges = sorted((keys, name) for name, keys in self.open.items())
            if len(ranges) > 1 and self.rng.random() < 0.5:
                at = self.rng.randrange(len(ranges) - 1)
                (left, a), (right, b) = ranges[at : at + 2]
                self._close(a, b)
                self._add((left[0], right[1]), (a, b))
                return
            (low, high), name = self.rng.choice(ranges)
            if high - low > 1:
                self._close(name)
                middle = self.rng.randrange(low + 1, high)
                self._add((low, middle), (name,))
                self._add((middle, high), (name,))

    def _close(self, *closed: str) -> None:
        for name in closed:
            del self.open[name]
            self.made[name] = Shard(name, self.made[name].parents, closed=True)

    def _fault(self, share: float, error: Exception) -> None:
        if self.faults and self.rng.random() < share:
            self.failed[type(error).__name__] += 1
            raise error

    def shards(self) -> list[Shard]:
        with self.lock:
            self._fault(0.05, ThrottledError("slow down"))
            return list(self.made.values())

    def iterator(self, shard: str, start: Start) -> str:
        with self.lock:
            rows = self.rows[shard]
            at = {"AT_SEQUENCE_NUMBER": start.sequence, "AFTER_SEQUENCE_NUMBER": start.sequence + "x"}.get(start.kind)
            if start.kind == "LATEST":
                return str(len(rows))
            if start.kind == "AT_TIMESTAMP":
                return str(sum((r[0].time or 0) < start.time for r in rows))
            return str(sum(r[0].sequence < (at or "") for r in rows))

    def page(self, shard: Shard, iterator: str, rows: int) -> Page:
        with self.lock:
            self._fault(0.05, ExpiredIteratorError("too old"))
            self._fault(0.05, ThrottledError("slow down"))
            self._fault(0.02, TransientError("away"))
            begin, all_rows = int(iterator), self.rows[shard.name]
            found = all_rows[begin : begin + self.rng.randrange(rows)]
            end = begin + len(found)
            over = end == len(all_rows)
            return Page(
                [r for one in found for r in one],
                None if over and shard.name not in self.open else str(end),
                0 if over else len(all_rows) - end,
                100 * len(found),
                found[-1][0].sequence if found else "",
            )


class Simple(ShardReader):
    """Gives payloads as they are."""

    def block(self, shard: str, records: list[Record], position: Position) -> Block:
        numbers = np.array([int(r.sequence) for r in records], np.int64)
        return Block(shard, Rows.of([r.payload for r in records]), position, numbers)


def pace(start: Start = OLDEST, **more: Any) -> Pace:
    return Pace(start, 1 << 40, rows=7, empty_seconds=0.0, discovery_seconds=0.01, throttled_seconds=0.0001, **more)


class Run:
    """What the runtime does: takes blocks, keeps positions, and goes back to its last checkpoint after a crash."""

    def __init__(self, stream: Shelf, start: Start = OLDEST) -> None:
        self.stream = stream
        self.start = start
        self.got: list[tuple[str, str]] = []
        self.positions: dict[str, Any] = {}
        self.kept: tuple[int, dict[str, Any]] = (0, {})
        self.live: set[str] = set()
        self.retried = 0
        self.throttled = 0.0
        self.reader = self._open()

    def _open(self) -> Simple:
        while True:
            try:
                return Simple(self.stream, pace(self.start), dict(self.positions))
            except TransientError:
                self.retried += 1

    def turn(self, rng: random.Random) -> None:
        try:
            blocks = self.reader.poll(Limit(rows=rng.randrange(1, 30), wait_seconds=0.01))
        except TransientError:
            self.retried += 1
            return
        changes = self.reader.changes()
        self.live |= {c.partition for c in changes if isinstance(c, Assigned)}
        for b in blocks:
            assert b.partition in self.live
            self.got += [(b.partition, (b.values.row(i) or b"").decode()) for i in range(len(b))]  # type: ignore[union-attr]
            self.positions[b.partition] = b.position
        self.live -= {c.partition for c in changes if isinstance(c, Ended)}

    def checkpoint(self) -> None:
        self.kept = (len(self.got), dict(self.positions))

    def crash(self) -> None:
        self.throttled += self.reader.throttled
        self.reader.close()
        count, self.positions = self.kept[0], dict(self.kept[1])
        del self.got[count:]
        self.live = set()
        self.reader = self._open()


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost_or_doubled_through_resharding_crashes_and_faults(seed: int) -> None:
    rng, stream = random.Random(seed), Shelf(seed)  # noqa: S311  as above
    run, count, crashes = Run(stream), 0, 0
    sent: dict[int, list[str]] = defaultdict(list)
    for _ in range(400):
        for _ in range(rng.randrange(4)):
            key = rng.randrange(64)
            values = range(count, count + rng.randrange(1, 5))
            count = values.stop
            stream.put(key, *values)
            sent[key] += [f"{key} {v}" for v in values]
        if rng.random() < 0.04:
            stream.reshard()
        run.turn(rng)
        if rng.random() < 0.1:
            run.checkpoint()
        if rng.random() < 0.03:
            crashes += 1
            run.crash()
    stream.faults = False
    deadline = time.monotonic() + 30
    while len(run.got) < count or run.live != set(stream.open):
        assert time.monotonic() < deadline, (len(run.got), count, run.live, set(stream.open))
        run.turn(rng)
    run.reader.close()
    by_key: dict[int, list[str]] = defaultdict(list)
    for _, value in run.got:
        by_key[int(value.split()[0])].append(value)
    assert by_key == sent  # each row once, and those of a key in order
    assert crashes
    assert len(stream.made) > 3
    assert {"ThrottledError", "ExpiredIteratorError", "TransientError"} <= stream.failed.keys()
    assert run.throttled + run.reader.throttled > 0
    assert run.retried


def test_a_shard_ends_only_when_its_children_are_there() -> None:
    """Else event time would pass on without the rows of the children."""
    stream = Shelf(0)
    stream.faults = False
    stream.put(1, 1)
    reader = Simple(stream, pace(), {})
    seen: list[Any] = []
    for turn in range(200):
        if turn == 20:
            stream.reshard()
        seen += [b.partition for b in reader.poll(Limit(wait_seconds=0.005)) if len(b)]
        seen += reader.changes()
        if Ended("shard-0") in seen:
            break
    reader.close()
    assert seen.index(Assigned("shard-1")) < seen.index(Assigned("shard-2")) < seen.index(Ended("shard-0"))


def test_from_latest_nothing_that_comes_later_is_lost_by_a_crash_before_the_first_row() -> None:
    stream, rng = Shelf(1), random.Random(1)  # noqa: S311  as above
    stream.faults = False
    stream.put(1, 1)
    stream.put(60, 2)
    stream.reshard()
    run = Run(stream, LATEST)
    assert stream.number < 1 << 40
    run.turn(rng)
    run.checkpoint()
    assert {p["begun"] for p in run.positions.values()} == {1 << 40}
    stream.number = 1 << 40
    stream.put(1, 3)
    stream.put(60, 4)
    run.crash()
    deadline = time.monotonic() + 30
    while len(run.got) < 2:
        assert time.monotonic() < deadline
        run.turn(rng)
    run.reader.close()
    assert sorted(v for _, v in run.got) == ["1 3", "60 4"]


def test_a_bounded_reader_ends_with_what_was_there() -> None:
    stream = Shelf(2)
    stream.faults = False
    for key in range(64):
        stream.put(key, key)
        if key % 20 == 19:
            stream.reshard()
    bounded = replace(pace(), now_ms=stream.number, bounded=True)
    stream.put(1, 100)  # later than its beginning
    reader = Simple(stream, bounded, {})
    blocks = drain(reader)
    reader.close()
    assert sum(map(len, blocks)) == 64
    late = Simple(stream, bounded, {b.partition: b.position for b in blocks})
    assert sum(map(len, drain(late))) == 0
    late.close()
