"""The sink: part files in a folder, seen whole or not at all, exactly once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tailrace.connectors.base import Context, Report, StagedSink
from tailrace.connectors.filesystem.parts import ParquetPart, Part, RowPart
from tailrace.connectors.filesystem.paths import absolute, partition_folder
from tailrace.connectors.filesystem.staging import Staged, failed, make_folders, piece_name, sync_folder
from tailrace.connectors.filesystem.target import Target
from tailrace.connectors.refusing import accepted
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import DataError, TerminalError
from tailrace.formats.base import Encoder
from tailrace.schema import Schema

MAX_OPEN = 128
PARQUET_MEMORY = 64 << 20
_TELLING = 1024
"""Only a write of more bytes says how large rows are."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """When a part file is closed: by size, by age, and by time without rows."""

    size: int
    age_seconds: float
    idle_seconds: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where and how rows are written: `encoder` is None for Parquet; `changes` tells that it writes row kinds."""

    target: Target
    schema: Schema
    """The columns in the files: those of the table without `keys`."""
    keys: tuple[str, ...]
    default_partition: str
    encoder: Callable[[], Encoder] | None
    compression: str
    ending: str
    rolling: Rolling
    success_file: str | None
    commit_delay_ms: int
    changes: bool = False
    compact_size: int | None = None
    """Parquet files are gathered over checkpoints up to this size; None: each checkpoint closes them."""


def job_tag(context: Context) -> str:
    """Give a short name for a job's files, which is the same after a restart."""
    text = f"{context.job}\0{absolute(context.folder)}"
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


class FileSink(StagedSink):
    """Writes part files; each is renamed to its final name in the commit of the epoch that closed it."""

    def __init__(self, layout: Layout, context: Context) -> None:
        self._layout = layout
        self._target = layout.target
        self._clock = context.clock
        self._tag = job_tag(context)
        self._counter = 0
        self._parts: dict[str, Part] = {}
        self._whole: list[str] = []
        self._spent: dict[str, int] = {}
        """How many pieces there are of files that are whole."""
        self._born: dict[str, int] = {}
        self._marks: dict[str, None] = {}
        self._new_folders: set[Path] = set()
        self._finished = False
        self._rounding = False
        self._row_size = 0.0
        """How many bytes a row took of late; 0 before the first."""

    def open(self, staged: Any | None, epoch: int) -> None:
        try:
            self._recover(Staged.from_json(staged) if staged is not None else None)
        except OSError as error:
            raise failed("open folder", self._target.folder, error) from None

    def _recover(self, staged: Staged | None) -> None:
        if staged is None:
            self._tag, self._counter = self._target.begin(self._tag)
            return
        self._tag, self._counter, self._born = staged.tag, staged.counter, dict(staged.born)
        self._target.recover(staged)
        self._mark(staged.mark)
        now = self._clock.monotonic()
        for name, valid in staged.open.items():
            folder = name.rpartition("/")[0]
            self._parts[folder] = self._row_part(name, now, valid)
        for name, count in staged.pieces.items():
            part = ParquetPart(self._target.folder, name, now, self._layout.compression, count)
            self._parts[name.rpartition("/")[0]] = part

    def _mark(self, folders: list[str]) -> None:
        if self._layout.success_file is not None:
            self._target.mark(folders, self._layout.success_file)

    def write(self, batch: pl.DataFrame) -> None:
        for folder, rows in self._split(self._inserts(batch)):
            self._write(folder, rows)

    def _put(self, part: Part, rows: pl.DataFrame) -> None:
        """Append rows to a part; those that the format can't write are refused, and it has none of them then."""
        try:
            part.write(rows)
        except DataError:
            if not self.refusals.tolerates or self._layout.encoder is None:
                raise
            kept = accepted(rows, self._layout.encoder().encode, self.refusals, "encode")
            if len(kept):
                part.write(kept)

    def _write(self, folder: str, rows: pl.DataFrame) -> None:
        """Append rows to the parts of a folder, about as many to each as its size allows."""
        while len(rows):
            part = self._part(folder)
            before = part.size
            each = self._row_size or max(1.0, rows.estimated_size() / len(rows))
            piece = rows.head(int((self._limit(part) - before) / each) + 1)
            rows = rows.slice(len(piece))
            self._put(part, piece)
            part.written = self._clock.monotonic()
            if part.size - before > _TELLING:  # a compressor may keep most of it for now
                self._row_size = (part.size - before) / len(piece)
            if part.size >= self._limit(part):
                self._close(folder)
            elif isinstance(part, ParquetPart) and part.memory >= PARQUET_MEMORY:
                part.spill()

    def _limit(self, part: Part) -> int:
        size = self._layout.rolling.size
        if isinstance(part, ParquetPart) and self._layout.compact_size is not None:
            return self._layout.compact_size
        return min(size, PARQUET_MEMORY) if isinstance(part, ParquetPart) else size

    def _inserts(self, batch: pl.DataFrame) -> pl.DataFrame:
        """
        Make sure that rows are only added, unless the format can say more.

        Raises:
            TerminalError: a row takes back or replaces another.
        """
        if KIND not in batch.columns or self._layout.changes:
            return batch
        if (batch[KIND] != RowKind.INSERT).any():
            hint = "write a result that updates into a table with a PRIMARY KEY, or aggregate by window"
            raise TerminalError("files can't take updates, only new rows", hint=hint)
        return batch.drop(KIND)

    def _split(self, batch: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
        """Give the rows of each partition folder; a table without partitions has one, the root."""
        layout = self._layout
        names = [*layout.schema.names, *([KIND] if KIND in batch.columns else [])]
        if batch.is_empty():
            return
        if not layout.keys:
            yield "", batch.select(names)
            return
        texts = [pl.col(k).cast(pl.String).alias(f"$key{i}") for i, k in enumerate(layout.keys)]
        keyed = batch.select(*names, *texts)
        groups = [f"$key{i}" for i in range(len(layout.keys))]
        for values, rows in keyed.partition_by(groups, maintain_order=True, include_key=False, as_dict=True).items():
            yield partition_folder(layout.keys, tuple(values), layout.default_partition), rows

    def _part(self, folder: str) -> Part:
        """Give the part that is open in a folder, or begin one."""
        part = self._parts.get(folder)
        if part is not None:
            return part
        if len(self._parts) >= MAX_OPEN:
            self._close(min(self._parts, key=lambda f: self._parts[f].written))
        self._born.setdefault(folder, self._clock.now_ms())
        part = self._begin(folder)
        self._parts[folder] = part
        return part

    def _begin(self, folder: str) -> Part:
        base = f"{folder}/" if folder else ""
        name = f"{base}part-{self._tag}-{self._counter}{self._layout.ending}"
        now = self._clock.monotonic()
        try:
            make_folders(self._target.folder, folder)
        except OSError as error:
            raise failed("make folder", self._target.folder / folder, error) from None
        self._counter += 1
        self._new_folders.add(self._target.folder / folder)
        if self._layout.encoder is None:
            return ParquetPart(self._target.folder, name, now, self._layout.compression)
        return self._row_part(name, now, None)

    def _row_part(self, name: str, now: float, valid: int | None) -> Part:
        if self._layout.encoder is None:
            raise TerminalError(f"the checkpoint has an open file '{name}', and a Parquet file is never open")
        root = self._target.folder
        return RowPart(root, name, now, self._layout.encoder(), self._layout.compression, valid)

    def _close(self, folder: str) -> None:
        """Make the open part of a folder whole; it is published with the next epoch."""
        part = self._parts.pop(folder)
        part.finish()
        self._whole.append(part.name)
        if isinstance(part, ParquetPart) and part.pieces:
            self._spent[part.name] = part.pieces

    def finish(self) -> None:
        self._finished = True

    def round_off(self) -> None:
        self._rounding = True

    def prepare(self, epoch: int) -> dict[str, Any]:
        done = self._committed_partitions()
        for folder in [f for f, part in self._parts.items() if f in done or self._is_due(part)]:
            self._close(folder)
        self._rounding = False
        lengths = {p.name: p.sync() for p in self._parts.values() if isinstance(p, RowPart)}
        pieces = {p.name: p.spill() for p in self._parts.values() if isinstance(p, ParquetPart)}
        self._new_folders |= {(self._target.folder / name).parent for name in pieces}
        for new in self._new_folders:
            sync_folder(new)
        self._new_folders.clear()
        if self._layout.success_file is not None:
            self._marks |= dict.fromkeys(done)
        for folder in done:
            self._born.pop(folder, None)
        staged = Staged(
            self._tag, self._counter, list(self._whole), lengths, list(self._marks), dict(self._born), pieces
        )
        return staged.to_json()

    def _committed_partitions(self) -> set[str]:
        """Give the folders whose partition is committed with this epoch."""
        layout = self._layout
        if layout.success_file is None:
            return set()
        if self._finished:
            return set(self._born)
        if not layout.keys:
            return set()
        now = self._clock.now_ms()
        return {folder for folder, born in self._born.items() if now - born >= layout.commit_delay_ms}

    def _is_due(self, part: Part) -> bool:
        each = isinstance(part, ParquetPart) and self._layout.compact_size is None
        if self._finished or self._rounding or each:
            return True
        now = self._clock.monotonic()
        rolling = self._layout.rolling
        return now - part.opened >= rolling.age_seconds or now - part.written >= rolling.idle_seconds

    def commit(self, epoch: int, staged: Any) -> None:
        given = Staged.from_json(staged)
        self._target.publish(given.publish)
        for name in given.publish:
            for number in range(self._spent.pop(name, 0)):
                (self._target.folder / piece_name(name, number)).unlink(missing_ok=True)
        self._mark(given.mark)
        # what a later `prepare` names again until now is done
        self._whole = [n for n in self._whole if n not in set(given.publish)]
        for folder in given.mark:
            self._marks.pop(folder, None)

    def check(self) -> Report:
        return self._target.check()

    def close(self) -> None:
        for part in self._parts.values():
            part.abandon()
        self._parts.clear()
        self._target.close()
