"""
Batch ingestion: the rows of an epoch are staged, and given to tasks of Druid once their checkpoint is durable.

A task is named by the job, the epoch and its part: a replay asks for the same name, and Druid does none twice.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from tailrace.connectors.base import Report, StagedSink
from tailrace.connectors.druid.client import Server
from tailrace.connectors.druid.columns import to_wire
from tailrace.connectors.druid.spec import Datasource, task_spec
from tailrace.connectors.druid.streaming import timed
from tailrace.connectors.druid.tasks import Tasks
from tailrace.connectors.epoch_rows import EpochRows
from tailrace.connectors.refusing import accepted
from tailrace.errors import TailraceError, TerminalError
from tailrace.formats.json.objects import Objects, Style
from tailrace.state.files import Files, LocalFiles, failed
from tailrace.state.store_manifest import digest

_ENDING = ".ndjson"


@dataclass(frozen=True, slots=True)
class Staging:
    """Where rows wait for their task: files of about `size` bytes in `folder`, which Druid's workers may see (`shared`)."""

    folder: Path
    size: int
    shared: bool


class DruidBatchSink(StagedSink):
    """Stages rows as files of JSON, and has Druid ingest them."""

    def __init__(self, server: Server, datasource: Datasource, staging: Staging, rows: EpochRows, tasks: Tasks) -> None:
        self._server = server
        self._datasource = datasource
        self._staging = staging
        self._rows = rows
        self._tasks = tasks
        self._objects = Objects(datasource.wire, Style())
        self._files: Files = LocalFiles()
        self._client: httpx.Client | None = None
        self._tag = ""

    def open(self, staged: Any | None, epoch: int) -> None:
        self.close()  # what an open that failed has left
        self._client = self._server.client()
        self._server.sees_overlord(self._client)
        self._rows.clear()
        # a new job has a name of its own: epochs of an older one with the same numbers are other rows
        self._tag = secrets.token_hex(4) if staged is None else str(staged["tag"])
        try:
            self._staging.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise failed("stage rows in", self._staging.folder, error) from None
        if staged is not None:
            self.commit(epoch, staged)
        mine = f"{self._tag}-*{_ENDING}" if self._staging.shared else f"*{_ENDING}"
        for path in self._staging.folder.glob(mine):
            self._files.unlink(path)

    def write(self, batch: pl.DataFrame) -> None:
        rows = to_wire(timed(batch, self._datasource, self.refusals), self._datasource.schema)
        if self.refusals.tolerates:
            rows = accepted(rows, self._objects.texts, self.refusals, "encode")
        if len(rows):
            self._rows.add(rows)

    def prepare(self, epoch: int) -> Any:
        parts = [self._stage(f"{self._tag}-{epoch}-{i}", text) for i, text in enumerate(self._pieces())]
        if parts:
            self._files.sync_folder(self._staging.folder)
        self._rows.clear()
        return {"tag": self._tag, "parts": parts}

    def _pieces(self) -> Iterator[str]:
        """Give the rows of the epoch as lines, in texts of about the size that a task may have."""
        buffer = io.StringIO()
        for batch in self._rows.batches():
            for rows in batch.iter_slices(10_000):
                buffer.write(rows.select(self._lines(rows).str.join("\n")).item() + "\n")
                if buffer.tell() >= self._staging.size:
                    yield buffer.getvalue()
                    buffer = io.StringIO()
        if buffer.tell():
            yield buffer.getvalue()

    def _lines(self, rows: pl.DataFrame) -> pl.Series:
        return self._objects.texts(rows).alias("line")

    def _stage(self, name: str, text: str) -> dict[str, str]:
        data = text.encode()
        path = self._staging.folder / (name + _ENDING)
        try:
            self._files.write(path, [data])
        except OSError as error:
            raise failed("stage rows in", path, error) from None
        return {"name": name, "digest": digest(data)}

    def commit(self, epoch: int, staged: Any) -> None:
        assert self._client is not None
        parts = staged["parts"]
        if parts:
            self._tasks.run(self._client, self._shared(epoch, parts) if self._staging.shared else self._inline(parts))
        for part in parts:
            self._files.unlink(self._path(part))

    def _shared(self, epoch: int, parts: list[dict[str, str]]) -> dict[str, Callable[[str], dict[str, Any]]]:
        """Give the one task of an epoch whose files Druid reads itself."""
        source = {"type": "local", "files": [str(self._path(p)) for p in parts]}
        return {f"tailrace-{self._tag}-{epoch}": lambda task: task_spec(self._datasource, task, source)}

    def _inline(self, parts: list[dict[str, str]]) -> dict[str, Callable[[str], dict[str, Any]]]:
        """Give a task for each file, with the rows in it."""
        return {f"tailrace-{p['name']}": lambda task, p=p: self._with_rows(task, p) for p in parts}  # type: ignore[misc]

    def _with_rows(self, task: str, part: dict[str, str]) -> dict[str, Any]:
        return task_spec(self._datasource, task, {"type": "inline", "data": self._read(part)})

    def _path(self, part: dict[str, str]) -> Path:
        return (self._staging.folder / (part["name"] + _ENDING)).absolute()

    def _read(self, part: dict[str, str]) -> str:
        path = self._path(part)
        try:
            data = self._files.read(path)
        except OSError as error:
            raise failed("read staged rows", path, error) from None
        if digest(data) != part["digest"]:
            raise TerminalError(f"staged rows in '{path}' are damaged", hint="bring back the state folder")
        return bytes(data).decode()

    def check(self) -> Report:
        with self._server.client() as client:
            try:
                version = self._server.version(client)
                self._server.sees_overlord(client)
            except TailraceError as error:
                return Report.failed(error)
        return Report(True, f"datasource '{self._datasource.name}' at {self._server.shown}, Druid {version}, by tasks")

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
