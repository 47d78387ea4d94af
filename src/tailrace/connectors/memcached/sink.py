"""The sink of Memcached: many commands in one go; the answer to each row's own is looked at."""

from __future__ import annotations

import polars as pl

from tailrace.connectors.base import Report
from tailrace.connectors.bulk import Bulk, BulkSink, Outcome, Refused, split_kinds
from tailrace.connectors.encoding import one_by_one
from tailrace.connectors.keyed_values import KeyedValues
from tailrace.connectors.memcached.client import (
    MOST_KEY_BYTES,
    Servers,
    as_ours,
    check_servers,
    seconds_of,
    set_command,
)
from tailrace.errors import TransientError

_TAKEN = (b"STORED", b"DELETED", b"NOT_FOUND")
_TOO_LARGE = b"SERVER_ERROR object too large for cache"


class MemcachedSink(BulkSink):
    """Keeps a row at its key, and forgets it when the row is deleted."""

    def __init__(self, servers: Servers, layout: KeyedValues, bulk: Bulk, ttl_ms: int | None) -> None:
        super().__init__(bulk, effectively_once=True)
        self._servers = servers
        self._layout = layout
        self._encoder = layout.encoder()
        self._seconds = seconds_of(ttl_ms)

    def open(self) -> None:
        self._servers.versions()
        self._encoder.open()

    def send(self, rows: pl.DataFrame) -> Outcome:
        numbered = rows.with_row_index("_row")
        put, gone = split_kinds(numbered)
        refused: list[Refused] = []
        row_of: dict[bytes, int] = {}
        commands: dict[bytes, bytes] = {}
        for frame, values in ((put, self._values(put)), (gone, None)):
            keys = [k.encode() for k in self._layout.keys(frame)]
            for i, (row, key) in enumerate(zip(frame["_row"].to_list(), keys, strict=True)):
                if why := key_fault(key):
                    refused.append(Refused(row, "key", f"its key can't be one of Memcached: {why}"))
                    continue
                row_of[key] = row
                value = None if values is None else values[i] or b""
                commands[key] = _command(key, value, self._seconds)
        answers = self._servers.send(commands)
        return self._outcome({row_of[key]: a for key, a in answers.items() if a not in _TAKEN}, refused)

    def _values(self, rows: pl.DataFrame) -> list[bytes | None]:
        return one_by_one(self._encoder.encode(rows.select(list(self._layout.value.names))))

    def _outcome(self, failed: dict[int, bytes], refused: list[Refused]) -> Outcome:
        again, why = [], None
        for row, answer in failed.items():
            error = as_ours(answer, self._servers.shown)
            if answer == _TOO_LARGE:
                hint = "a larger 'memcached -I', or fewer columns"
                refused.append(Refused(row, "too-large", "its value is larger than the server takes", hint))
            elif isinstance(error, TransientError):
                again.append(row)
                why = error
            else:
                refused.append(Refused(row, "refused", error.message, error.hint))
        return Outcome(refused, again, why)

    def check(self) -> Report:
        return check_servers(self._servers, f"keys that begin with '{self._layout.prefix}'")

    def close(self) -> None:
        super().close()
        self._servers.close()


def _command(key: bytes, value: bytes | None, seconds: int) -> bytes:
    return b"delete %s\r\n" % key if value is None else set_command(b"set", key, value, seconds)


def key_fault(key: bytes) -> str:
    """
    Say why a key can't be one of Memcached; empty if it can.

    >>> key_fault(b"a b")
    'it has a blank or control character'
    """
    if len(key) > MOST_KEY_BYTES:
        return f"it has {len(key)} bytes, and {MOST_KEY_BYTES} are the most"
    # a split finds blanks, and the set those control characters that are none
    if not key or key.split() != [key] or not _CONTROL.isdisjoint(key):
        return "it has a blank or control character" if key else "it is empty"
    return ""


_CONTROL = frozenset([*range(0x21), 0x7F])
