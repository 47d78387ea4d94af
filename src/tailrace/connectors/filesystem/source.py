"""The source: files of a path, a partition each; read one after another, or watched for more."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Position, Positions, Reader, Report, Source
from tailrace.connectors.filesystem.marks import Mark, Past
from tailrace.connectors.filesystem.partition import FilePartition
from tailrace.connectors.filesystem.paths import Found, is_glob, list_files, missing, reason, root_of
from tailrace.connectors.filesystem.reading import OpenFile, Taken
from tailrace.connectors.filesystem.spec import Common
from tailrace.errors import ConfigError, Location, TailraceError, TerminalError, TransientError

MAX_OPEN = 128
ENOUGH = 8_192
"""A block of so many rows is all that a look gives: what is left of its limit is not worth a block of its own."""
_OVERDUE = 1.0
"""A look at the files that is late by so many seconds says nothing any more of what is new."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a source of local files was declared to be."""

    common: Common
    path: Path
    location: Location | None

    def files(self) -> list[Found]:
        """List the files as they are now."""
        return list_files(self.path, self.common.pattern, self.location)


class FileSource(Source):
    """Files, read again from any position. Bounded unless it watches."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.bounded = spec.common.monitor_seconds is None

    def open(self, positions: Positions) -> FileReader:
        return FileReader(self.spec, positions)

    def check(self) -> Report:
        try:
            found = self.spec.files()
            if not found and is_glob(self.spec.path) and self.bounded:
                raise no_match(self.spec)
            for file in found[:MAX_OPEN]:
                OpenFile(file.path, self.spec.common.reading, None).close()
                self.spec.common.folder_columns(file.name)
        except TailraceError as error:
            return Report.failed(error)
        size = sum(f.status.st_size for f in found)
        how = "then ends" if self.bounded else f"then looks for more every {self.spec.common.monitor_seconds:g} s"
        files = f"{len(found)} file{'' if len(found) == 1 else 's'}"
        return Report(ok=True, message=f"reads {files} ({size:,} bytes) of {self.spec.path}, {how}")


def no_match(spec: Spec) -> ConfigError:
    """Give the error for a glob that matches nothing."""
    hint = f"wildcards are those of a shell; the first folder without one is '{root_of(spec.path)}'"
    return ConfigError(f"no file matches '{spec.path}'", hint=hint, location=spec.location)


class FileReader(Reader):
    """Reads the files of a source in natural order; a partition is a file, named relative to the path."""

    def __init__(self, spec: Spec, positions: Positions) -> None:
        self._spec = spec
        self._partitions: dict[str, FilePartition] = {}
        self._columns: dict[str, pl.DataFrame] = {}
        self._announced: deque[str] = deque()
        self._active: deque[str] = deque()
        self._waiting: dict[str, None] = {}
        self._changes: list[Change] = []
        self._failure: TailraceError | None = None
        self._root = root_of(spec.path)
        self._last_look = spec.common.clock.monotonic()
        self._begin({name: Mark.from_json(value) for name, value in positions.items()})

    def _begin(self, marks: dict[str, Mark]) -> None:
        """
        Find the files for the first time.

        Raises:
            ConfigError: there are none, or they can't be listed.
        """
        found = self._list(bool(marks))
        if not found and not marks and self._bounded and is_glob(self._spec.path):
            raise no_match(self._spec)
        paths = {f.name: f.path for f in found}
        begun = {n: self._made(n, paths.get(n, self._root / n), mark) for n, mark in marks.items()}
        known = self._known(begun)
        for name in [n for n in begun if n not in paths]:
            self._announce(begun[name])
        for file in found:
            if file.name in begun:
                self._announce(begun[file.name])
            elif not self._is_known(file, known):
                self._announce(self._made(file.name, file.path, None))

    def _list(self, resumed: bool) -> list[Found]:
        if resumed and not self._spec.path.exists() and not is_glob(self._spec.path):
            # a single file that was moved away: its position tells what to do
            if self._spec.path.parent.is_dir():
                return []
            raise missing(self._spec.path, self._spec.location)
        return self._spec.files()

    @property
    def _bounded(self) -> bool:
        return self._spec.common.monitor_seconds is None

    @staticmethod
    def _known(partitions: dict[str, FilePartition]) -> dict[int, list[FilePartition]]:
        """Give the partitions that read or have read an inode."""
        known: dict[int, list[FilePartition]] = {}
        for partition in partitions.values():
            for inode in partition.inodes():
                known.setdefault(inode, []).append(partition)
        return known

    @staticmethod
    def _is_known(file: Found, known: dict[int, list[FilePartition]]) -> bool:
        """Tell whether a file was read before under another name: it was rotated."""
        inode = file.status.st_ino
        return any(p.has_read(file.path, inode) for p in known.get(inode, ()))

    def _made(self, name: str, path: Path, mark: Mark | None, past: Past = ()) -> FilePartition:
        """Make the partition of a file."""
        self._columns[name] = self._spec.common.folder_columns(name)
        return FilePartition(name, path, self._spec.common.reading, mark, restart=self._spec.common.restart, past=past)

    def _announce(self, partition: FilePartition) -> None:
        """Let a partition begin with the next call of `changes`."""
        self._partitions[partition.name] = partition
        self._announced.append(partition.name)
        self._changes.append(Assigned(partition.name))

    def changes(self) -> list[Change]:
        given, self._changes = self._changes, []
        # rows of a partition are given only once it was announced
        self._active.extend(self._announced)
        self._announced.clear()
        return given

    def poll(self, limit: Limit) -> list[Block]:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        blocks: list[Block] = []
        try:
            self._fill(blocks, limit)
        except (TailraceError, OSError) as error:
            failure = error if isinstance(error, TailraceError) else self._said(error)
            if not blocks:
                raise failure from None
            self._failure = failure  # the rows before it are given first
        if not blocks and not self._active and not self._announced and not self._bounded:
            self._wait(limit.wait_seconds)
        return blocks

    def _said(self, error: OSError) -> TailraceError:
        message = f"can't read '{error.filename or self._spec.path}': {reason(error)}"
        return TransientError(message) if isinstance(error, FileNotFoundError) else TerminalError(message)

    def _fill(self, blocks: list[Block], limit: Limit) -> None:
        rows, size = limit.rows, limit.bytes
        while rows > 0 and size > 0:
            block = self._next(rows, size)
            if block is None:
                return
            blocks.append(block)
            if len(block) >= ENOUGH:
                return
            rows -= len(block)
            size -= block.size

    def _next(self, rows: int, size: int) -> Block | None:
        self._look_if_due()
        while self._active:
            partition = self._partitions[self._active[0]]
            taken = partition.read(rows, size)
            if taken is not None:
                return self._block(partition, taken)
            if not self._done_for_now(partition):
                return None
        return None

    def _done_for_now(self, partition: FilePartition) -> bool:
        """Take a partition that gave nothing out of the turn; False if it only needs another call."""
        partition.check_end()
        if partition.mark is None and partition.file is None and partition.path.exists():
            return False  # it starts over
        if partition.file is None or partition.ended:
            self._end(partition)
            return True
        if self._bounded:
            return False
        self._active.popleft()
        self._waiting[partition.name] = None
        self._limit_open()
        return True

    def _end(self, partition: FilePartition) -> None:
        self._active.popleft()
        partition.close()
        partition.live = False
        self._changes.append(Ended(partition.name))

    def _limit_open(self) -> None:
        """Close the file that has waited longest when many are open."""
        if len(self._waiting) > MAX_OPEN:
            opened = (name for name in self._waiting if self._partitions[name].file is not None)
            oldest = next(opened, None)
            if oldest is not None:
                self._partitions[oldest].close()

    def _block(self, partition: FilePartition, taken: Taken) -> Block:
        columns = self._columns[partition.name]
        count = len(taken.values)
        asked = [self._metadata(partition, key) for key in self._spec.common.metadata]
        if isinstance(taken.values, pl.DataFrame):
            given = [*taken.values.get_columns(), *(c.new_from_index(0, count) for c in columns)]
            values: Any = pl.DataFrame(given) if given else taken.values
        else:
            values = taken.values
            asked += columns.get_columns()
        metadata = pl.DataFrame([c.new_from_index(0, count) for c in asked]) if asked else None
        position: Position = taken.mark.to_json()
        return Block(partition.name, values, position, taken.offsets, metadata=metadata, rejects=taken.rejects)

    def _metadata(self, partition: FilePartition, key: str) -> pl.Series:
        assert partition.file is not None
        status = partition.file.status()
        if key == "file.path":
            return pl.Series(key, [str(partition.path)])
        if key == "file.name":
            return pl.Series(key, [partition.path.name])
        if key == "file.size":
            return pl.Series(key, [status.st_size], dtype=pl.Int64)
        milliseconds = status.st_mtime_ns // 1_000_000
        return pl.Series(key, [milliseconds], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))

    def _wait(self, seconds: float) -> None:
        """Sleep until the next look is due, at most for so long."""
        if self._spec.common.monitor_seconds is not None:
            due = self._last_look + self._spec.common.monitor_seconds - self._spec.common.clock.monotonic()
            time.sleep(max(0.0, min(seconds, due)))

    def _look_if_due(self) -> None:
        now = self._spec.common.clock.monotonic()
        if self._spec.common.monitor_seconds is None or now - self._last_look < self._spec.common.monitor_seconds:
            return
        self._last_look = now
        found = {f.name: f for f in self._list(resumed=True)}
        for name in [*self._waiting]:
            if self._partitions[name].look(found[name].status if name in found else None):
                del self._waiting[name]
                self._active.append(name)
        for name in self._active:
            if self._partitions[name].file is not None:
                self._partitions[name].look(found[name].status if name in found else None)
        for name, partition in self._partitions.items():
            partition.gone = partition.gone or name not in found
        known = self._known(self._partitions) if any(name not in self._partitions for name in found) else {}
        for file in found.values():
            self._discover(file, known)

    def _discover(self, file: Found, known: dict[int, list[FilePartition]]) -> None:
        """Begin a partition for a file that was not there before."""
        old = self._partitions.get(file.name)
        if old is None:
            if not self._is_known(file, known):
                self._announce(self._made(file.name, file.path, None))
            return
        if old.live or old.mark is None:
            return
        if old.is_other(file.status):
            self._announce(self._made(file.name, file.path, None, old.mark.followed_by()))
        elif file.status.st_size != old.mark.size:
            self._announce(self._made(file.name, file.path, old.mark))

    def behind(self) -> Collection[str]:
        now = self._spec.common.clock.monotonic()
        if (
            self._spec.common.monitor_seconds is not None
            and now - self._last_look > self._spec.common.monitor_seconds + _OVERDUE
        ):
            return {*self._active, *self._announced, *self._waiting}  # any may have grown
        return {*self._active, *self._announced}

    def close(self) -> None:
        for partition in self._partitions.values():
            partition.close()
