"""
The journal of a webhook: rows that were taken, on disk until the job has them for good.

A request is answered when its rows are synced to the disk; many requests share one sync. So rows that were taken are read again
after a crash, from any position that a checkpoint holds, and a request that comes again is known by its key.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from tailrace.errors import TerminalError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL, headers BLOB NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dropped (up_to INTEGER NOT NULL);
"""
_MOST_REQUESTS = 1000
_SWEEP_SECONDS = 60.0


@dataclass(slots=True)
class Request:
    """Rows of one request, and what is to be told when they are safe: how many are new."""

    rows: Sequence[bytes]
    headers: bytes
    key: str | None
    at: int
    outcome: Future[int] = field(default_factory=Future)

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return sum(map(len, self.rows)) + len(self.headers) * len(self.rows)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row in the journal: `number` grows by time."""

    number: int
    body: bytes
    headers: bytes
    at: int


class Journal:
    """
    Keeps rows until they are acknowledged; written by a thread of its own.

    The last two acknowledgements are kept apart: what the newest of them lets go is only deleted with the next, as a job may
    go back by one checkpoint.

    Raises:
        TerminalError: the file can't be used.
    """

    def __init__(self, path: Path, *, known_seconds: float, max_rows: int, max_bytes: int) -> None:
        self._path = path
        self._known_ms = int(known_seconds * 1000)
        self._max_rows, self._max_bytes = max_rows, max_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._reading = self._connect()
        self._reading.executescript(_SCHEMA)
        self._rows, self._bytes = self._count()
        self._coming: queue.SimpleQueue[Request | int | None] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self._arrived = threading.Event()
        self._acknowledged = 0
        self._swept = time.monotonic()
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="tailrace-http-journal", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10.0)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise TerminalError(f"the journal '{self._path}' can't be used: {error}") from None
        return connection

    def _count(self) -> tuple[int, int]:
        found = self._reading.execute("SELECT COUNT(*), COALESCE(SUM(LENGTH(body) + LENGTH(headers)), 0) FROM entries")
        rows, size = found.fetchone()
        return int(rows), int(size)

    @property
    def full(self) -> bool:
        """Whether no more rows are to be taken for now."""
        return self._rows >= self._max_rows or self._bytes >= self._max_bytes

    def add(self, request: Request) -> Future[int]:
        """Have rows written; the outcome is how many of them are new (0: the request was known)."""
        if self.failure is not None:
            request.outcome.set_exception(self.failure)
            return request.outcome
        with self._counting:
            self._rows += len(request.rows)
            self._bytes += request.size
        self._coming.put(request)
        return request.outcome

    def acknowledge(self, number: int) -> None:
        """Hear that rows up to this one are in a complete checkpoint."""
        self._coming.put(number)

    def read(self, after: int, rows: int, size: int, wait_seconds: float) -> list[Entry]:
        """Give the next rows behind a number; waits for a first one."""
        found = self._read(after, rows, size)
        if not found and wait_seconds > 0:
            self._arrived.wait(wait_seconds)
            found = self._read(after, rows, size)
        return found

    def _read(self, after: int, rows: int, size: int) -> list[Entry]:
        self._arrived.clear()
        query = "SELECT id, body, headers, at FROM entries WHERE id > ? ORDER BY id LIMIT ?"
        found: list[Entry] = []
        for row in self._reading.execute(query, (after, rows)):
            found.append(Entry(*row))
            size -= len(row[1])
            if size <= 0:
                break
        return found

    def waiting(self, after: int) -> int:
        """Count the rows behind a number."""
        (count,) = self._reading.execute("SELECT COUNT(*) FROM entries WHERE id > ?", (after,)).fetchone()
        return int(count)

    def refuse_dropped(self, after: int) -> None:
        """
        Make sure that all rows behind a number are still there.

        Raises:
            TerminalError: some were deleted, as a later checkpoint had them.
        """
        (up_to,) = self._reading.execute("SELECT COALESCE(MAX(up_to), 0) FROM dropped").fetchone()
        if up_to > after:
            hint = "restore a newer checkpoint, or start with new state: rows are lost"
            raise TerminalError(
                f"the journal has deleted rows up to {up_to}, and the checkpoint needs those behind {after}", hint=hint
            )

    def close(self) -> None:
        """Write what is on its way, and let go of the file."""
        self._coming.put(None)
        self._thread.join()
        self._reading.close()

    def _run(self) -> None:
        connection = self._connect()
        over = False
        while not over:
            batch = list(self._batch())
            over = None in batch
            requests = [b for b in batch if isinstance(b, Request)]
            try:
                self._write(connection, requests)
                for number in [b for b in batch if isinstance(b, int)]:
                    self._drop(connection, number)
            except sqlite3.Error as error:
                self.failure = TerminalError(f"the journal '{self._path}' can't be written: {error}")
                for request in requests:
                    if not request.outcome.done():
                        request.outcome.set_exception(self.failure)
                break
        connection.close()

    def _batch(self) -> Iterator[Request | int | None]:
        yield self._coming.get()
        for _ in range(_MOST_REQUESTS):
            try:
                yield self._coming.get_nowait()
            except queue.Empty:
                return

    def _write(self, connection: sqlite3.Connection, requests: list[Request]) -> None:
        """Write requests in one transaction, and tell them when it is on the disk."""
        if not requests:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            new = [self._insert(connection, request) for request in requests]
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        self._arrived.set()
        for request, count in zip(requests, new, strict=True):
            if not count:
                self._less(len(request.rows), request.size)
            request.outcome.set_result(count)

    def _insert(self, connection: sqlite3.Connection, request: Request) -> int:
        if request.key is not None and self._known_ms:
            known = connection.execute("SELECT at FROM seen WHERE key = ?", (request.key,)).fetchone()
            if known is not None and request.at - known[0] < self._known_ms:
                return 0
            connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (request.key, request.at))
        rows = ((body, request.headers, request.at) for body in request.rows)
        connection.executemany("INSERT INTO entries (body, headers, at) VALUES (?, ?, ?)", rows)
        return len(request.rows)

    def _less(self, rows: int, size: int) -> None:
        with self._counting:
            self._rows -= rows
            self._bytes -= size

    def _drop(self, connection: sqlite3.Connection, number: int) -> None:
        """Delete the rows up to the acknowledgement before this one, and keys that are no longer known."""
        up_to, self._acknowledged = self._acknowledged, max(number, self._acknowledged)
        if up_to:
            connection.execute("BEGIN IMMEDIATE")
            found = "SELECT COUNT(*), COALESCE(SUM(LENGTH(body) + LENGTH(headers)), 0) FROM entries WHERE id <= ?"
            rows, size = connection.execute(found, (up_to,)).fetchone()
            if rows:
                connection.execute("DELETE FROM entries WHERE id <= ?", (up_to,))
                connection.execute("DELETE FROM dropped")
                connection.execute("INSERT INTO dropped VALUES (?)", (up_to,))
            connection.execute("COMMIT")
            self._less(rows, size)
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            self._swept = time.monotonic()
            connection.execute("DELETE FROM seen WHERE at < ?", (int(time.time() * 1000) - self._known_ms,))
