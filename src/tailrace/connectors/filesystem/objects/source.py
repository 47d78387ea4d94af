"""The source: objects as partitions, one after another, each fetched whole before its rows are given."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import structlog

from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.filesystem.marks import Mark
from tailrace.connectors.filesystem.objects.download import AHEAD, Downloads, ReplacedError
from tailrace.connectors.filesystem.objects.listing import Entry, key_of, list_objects, nothing_at, one
from tailrace.connectors.filesystem.objects.place import Place, reaching
from tailrace.connectors.filesystem.reading import OpenFile, Taken
from tailrace.connectors.filesystem.spec import Common
from tailrace.errors import TailraceError, TerminalError

ENOUGH = 8_192
"""A block of so many rows is all that a look gives."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """What a source of objects was declared to be; `folder` is where they are fetched to."""

    common: Common
    place: Place
    folder: Path

    def objects(self) -> list[Entry]:
        """List the objects as they are now."""
        return list_objects(self.place, self.common.pattern)


class ObjectSource(Source):
    """Objects, read again from any position. Bounded unless it watches."""

    def __init__(self, spec: ObjectSpec) -> None:
        self.spec = spec
        self.bounded = spec.common.monitor_seconds is None

    def open(self, positions: Positions) -> ObjectReader:
        return ObjectReader(self.spec, positions)

    def check(self) -> Report:
        try:
            found = self.spec.objects()
            if not found and self.bounded:
                raise nothing_at(self.spec.place)
            for entry in found:
                self.spec.common.folder_columns(entry.name)
        except TailraceError as error:
            return Report.failed(error)
        size = sum(e.size for e in found)
        how = "then ends" if self.bounded else f"then looks for more every {self.spec.common.monitor_seconds:g} s"
        objects = f"{len(found)} object{'' if len(found) == 1 else 's'}"
        return Report(ok=True, message=f"reads {objects} ({size:,} bytes) of {self.spec.place}, {how}")


@dataclass(slots=True)
class _Object:
    """An object that is read: which one it is, and how far."""

    entry: Entry
    offset: int = 0
    ended: bool = False

    def position(self) -> dict[str, Any]:
        return {"object": self.entry.identity, "offset": self.offset, "ended": self.ended}


def _read_position(value: Any) -> tuple[str, int, bool]:
    try:
        return str(value["object"]), int(value["offset"]), bool(value["ended"])
    except (KeyError, TypeError, ValueError) as error:
        raise TerminalError(f"the checkpoint has no position of an object: {error}") from None


class ObjectReader(Reader):
    """Reads objects in natural order; a partition is an object, named below the path."""

    def __init__(self, spec: ObjectSpec, positions: Positions) -> None:
        self._spec = spec
        self._objects: dict[str, _Object] = {}
        self._announced: deque[str] = deque()
        self._active: deque[str] = deque()
        self._changes: list[Change] = []
        self._file: OpenFile | None = None
        self._columns = pl.DataFrame()
        self._looker = ThreadPoolExecutor(1, thread_name_prefix="tailrace-objects-look")
        self._look: Future[list[Entry]] | None = None
        self._last_look = spec.common.clock.monotonic()
        self._begin(positions)
        self._downloads = Downloads(spec.place, spec.folder)

    def _begin(self, positions: Positions) -> None:
        found = {e.name: e for e in self._spec.objects()}
        if not found and not positions and self._spec.common.monitor_seconds is None:
            raise nothing_at(self._spec.place)
        marks = {name: _read_position(value) for name, value in positions.items()}
        for name in [n for n in marks if n not in found]:
            self._resume_missing(name, marks[name])
        for name, entry in found.items():
            self._resume(entry, marks.get(name))

    def _resume_missing(self, name: str, mark: tuple[str, int, bool]) -> None:
        """Look for an object that was begun and is not listed: lists may be late."""
        _, offset, ended = mark
        if ended:
            return
        key = key_of(self._spec.place, name)
        with reaching(self._spec.place, f"look for '{self._spec.place.uri(key)}'"):
            entry = one(self._spec.place, key, key.removesuffix(name).rstrip("/"))
        if entry is not None:
            self._resume(entry, mark)
        else:
            self._changed(self._spec.place.uri(key), f"it is gone, with unread rows after {offset}")

    def _resume(self, entry: Entry, mark: tuple[str, int, bool] | None) -> None:
        if mark is None:
            self._announce(_Object(entry))
            return
        identity, offset, ended = mark
        if identity != entry.identity:
            self._changed(self._spec.place.uri(entry.key), f"it is another one; {offset} was read of the one before")
            self._announce(_Object(entry))
            return
        self._announce(_Object(entry, offset, ended))

    def _changed(self, uri: str, how: str) -> None:
        if not self._spec.common.restart:
            hint = (
                "objects are taken as never changed: write new ones, or set 'tailrace.on-file-change' = 'restart' to read"
                " a changed one again from its beginning (rows already read then come twice)"
            )
            raise TerminalError(f"object '{uri}' has changed since it was read: {how}", hint=hint)
        _log.warning("object starts over", object=uri, reason=how)

    def _announce(self, found: _Object) -> None:
        name = found.entry.name
        self._objects[name] = found
        self._announced.append(name)
        self._changes.append(Assigned(name))

    def changes(self) -> list[Change]:
        given, self._changes = self._changes, []
        # rows of a partition are given only once it was announced
        self._active.extend(self._announced)
        self._announced.clear()
        return given

    def poll(self, limit: Limit) -> list[Block]:
        self._look_if_due()
        blocks: list[Block] = []
        rows, size = limit.rows, limit.bytes
        wait = limit.wait_seconds
        while rows > 0 and size > 0:
            block = self._next(rows, size, wait)
            if block is None:
                break
            blocks.append(block)
            if len(block) >= ENOUGH:
                break
            wait = 0.0
            rows -= len(block)
            size -= block.size
        return blocks

    def _next(self, rows: int, size: int, wait: float) -> Block | None:
        while self._active:
            found = self._objects[self._active[0]]
            if found.ended:
                self._end(found)
                continue
            if self._file is None and not self._open(found, wait):
                return None
            assert self._file is not None
            taken = self._file.read(rows, size)
            if taken is not None:
                found.offset, found.ended = taken.mark.offset, self._file.ended
                return self._block(found, taken)
            found.ended = self._file.ended
            if not found.ended:
                return None
        if not self._announced and wait:
            self._rest(wait)
        return None

    def _open(self, found: _Object, wait: float) -> bool:
        """Open what was fetched of an object; False if that is under way."""
        future = self._downloads.want(found.entry)
        for name in list(self._active)[1 : 1 + AHEAD]:
            if not self._objects[name].ended:
                self._downloads.want(self._objects[name].entry)
        try:
            path = future.result(wait)
        except TimeoutError:
            return False
        except ReplacedError as error:
            self._downloads.drop(found.entry.key)
            self._refresh(found, error)
            return False
        except TailraceError:
            self._downloads.drop(found.entry.key)
            raise
        except OSError as error:
            raise TerminalError(f"can't keep '{self._spec.place.uri(found.entry.key)}' on disk: {error}") from None
        mark = Mark(0, found.offset, (0, ""), (0, ""), found.entry.size)
        self._file = OpenFile(path, self._spec.common.reading, mark, self._spec.place.uri(found.entry.key))
        self._columns = self._spec.common.folder_columns(found.entry.name)
        return True

    def _refresh(self, found: _Object, error: ReplacedError) -> None:
        """Take the object that has taken the place of another, if none of the other's rows were given."""
        if found.offset:
            self._changed(self._spec.place.uri(found.entry.key), error.message)
        old = found.entry
        with reaching(self._spec.place, f"look for '{self._spec.place.uri(old.key)}'"):
            entry = one(self._spec.place, old.key, old.key.removesuffix(old.name).rstrip("/"))
        found.offset, found.ended = 0, entry is None
        found.entry = entry or old

    def _end(self, found: _Object) -> None:
        self._active.popleft()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._downloads.drop(found.entry.key)
        self._changes.append(Ended(found.entry.name))

    def _block(self, found: _Object, taken: Taken) -> Block:
        count = len(taken.values)
        asked = [_metadata(found.entry, key, self._spec.place) for key in self._spec.common.metadata]
        values: Any = taken.values
        if isinstance(values, pl.DataFrame):
            given = [*values.get_columns(), *(c.new_from_index(0, count) for c in self._columns)]
            values = pl.DataFrame(given) if given else values
        else:
            asked += self._columns.get_columns()
        metadata = pl.DataFrame([c.new_from_index(0, count) for c in asked]) if asked else None
        name = found.entry.name
        return Block(name, values, found.position(), taken.offsets, metadata=metadata, rejects=taken.rejects)

    def _rest(self, seconds: float) -> None:
        """Sleep until the next look is due, at most for so long."""
        if self._spec.common.monitor_seconds is None:
            return
        if self._look is not None:
            time.sleep(min(seconds, 0.01))
            return
        due = self._last_look + self._spec.common.monitor_seconds - self._spec.common.clock.monotonic()
        time.sleep(max(0.0, min(seconds, due)))

    def _look_if_due(self) -> None:
        """List the objects on a thread, and take what a list gave; a store that is away is asked again at the next time."""
        if self._spec.common.monitor_seconds is None:
            return
        now = self._spec.common.clock.monotonic()
        if self._look is None:
            if now - self._last_look >= self._spec.common.monitor_seconds:
                self._look = self._looker.submit(self._spec.objects)
            return
        if not self._look.done():
            return
        look, self._look, self._last_look = self._look, None, now
        for entry in look.result():
            self._discover(entry)

    def _discover(self, entry: Entry) -> None:
        known = self._objects.get(entry.name)
        if known is None:
            self._announce(_Object(entry))
        elif known.ended and known.entry.name not in self._active and known.entry.identity != entry.identity:
            self._changed(self._spec.place.uri(entry.key), "it is another one")
            self._announce(_Object(entry))

    def behind(self) -> Collection[str]:
        return {*self._active, *self._announced}

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._looker.shutdown(wait=False, cancel_futures=True)
        self._downloads.close()


def _metadata(entry: Entry, key: str, place: Place) -> pl.Series:
    if key == "file.path":
        return pl.Series(key, [place.uri(entry.key)])
    if key == "file.name":
        return pl.Series(key, [entry.key.rpartition("/")[2]])
    if key == "file.size":
        return pl.Series(key, [entry.size], dtype=pl.Int64)
    milliseconds = int(entry.modified.timestamp() * 1000)
    return pl.Series(key, [milliseconds], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
