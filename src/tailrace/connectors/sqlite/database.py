"""Connections to a SQLite file, and its errors in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tailrace.errors import TailraceError, TerminalError, TransientError

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_HINTS = {
    sqlite3.SQLITE_FULL: "free some space; the job goes on from its last checkpoint",
    sqlite3.SQLITE_READONLY: "give this user the right to write the file and its folder",
    sqlite3.SQLITE_NOTADB: "mend the option 'path'",
    sqlite3.SQLITE_CORRUPT: "check the file by PRAGMA integrity_check; bring back a copy",
    sqlite3.SQLITE_CANTOPEN: "mend the option 'path', or the rights of its folder",
}


def connect(path: Path, busy_seconds: float, *, writing: bool) -> sqlite3.Connection:
    """
    Open a file (which comes into being if it is to be written); the caller begins its transactions.

    Any thread may use the connection, one at a time.
    """
    with reported(path):
        uri = f"{path.absolute().as_uri()}?mode={'rwc' if writing else 'ro'}"
        connection = sqlite3.connect(uri, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        try:
            if writing:
                # a commit must outlive a power cut: FULL syncs the log with each of them
                connection.execute("PRAGMA journal_mode=WAL").fetchone()
                connection.execute("PRAGMA synchronous=FULL")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise TerminalError(f"SQLite file '{path}' refuses a row: {error}") from None
    except sqlite3.Error as error:
        raise _error(path, error) from None


def _error(path: Path, error: sqlite3.Error) -> TailraceError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    message = f"SQLite file '{path}': {error}"
    if code in _BUSY:
        return TransientError(message, hint="another program writes to it; raise 'tailrace.busy-timeout'")
    return TerminalError(message, hint=_HINTS.get(code, ""))


def columns_of(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Give the columns of a table or view with their declared types; none if there is no such table."""
    rows = connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
    return {str(name): str(kind) for name, kind in rows}


def tables_of(connection: sqlite3.Connection) -> list[str]:
    """Give the names of all tables and views."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    return [str(name) for (name,) in rows]
