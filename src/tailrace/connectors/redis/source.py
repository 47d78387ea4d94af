"""Streams of Redis as a source: the id of an entry is its position, so that a restart goes on exactly behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import redis

from tailrace.connectors import one_trace
from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.inbox import Message, block
from tailrace.connectors.redis.client import Server, check_server, reported
from tailrace.errors import TerminalError
from tailrace.formats.base import HEADERS

START = "0-0"
_HEADER = b"header:"
_TRACES = frozenset(name.encode() for name in one_trace.NAMES)
METADATA: dict[str, pl.DataType] = {
    "id": pl.String(),
    "stream": pl.String(),
    "timestamp": pl.Datetime("ms", "UTC"),
    "headers": HEADERS,
}


class StreamSource(Source):
    """Reads streams from their start, from their end, or behind a position."""

    def __init__(
        self, server: Server, streams: tuple[str, ...], *, latest: bool, bounded: bool, metadata: tuple[str, ...]
    ) -> None:
        self.bounded = bounded
        self.server = server
        self.streams = streams
        self.latest = latest
        self.metadata = {key: METADATA[key] for key in metadata}

    def open(self, positions: Positions) -> StreamReader:
        return StreamReader(self, positions)

    def check(self) -> Report:
        return check_server(self.server, f"stream '{';'.join(self.streams)}'")


class StreamReader(Reader):
    """Reads all streams by one XREAD at a time."""

    def __init__(self, source: StreamSource, positions: Positions) -> None:
        self._source = source
        self._client = source.server.client()
        self._sent: list[int] = []
        self._changes: list[Change] = [Assigned(stream) for stream in source.streams]
        try:
            with reported(source.server):
                ends = {s: _last_id(self._client, s) for s in source.streams}
                for stream, position in positions.items():
                    _refuse_trimmed(self._client, stream, str(position))
        except BaseException:
            self._client.close()
            raise
        self._at = {s: str(positions.get(s, ends[s] if source.latest else START)) for s in source.streams}
        self._ends = ends if source.bounded else {}
        self._finish()

    def poll(self, limit: Limit) -> list[Block]:
        if not self._at:
            return []
        at: dict[Any, Any] = dict(self._at)
        with reported(self._source.server):
            answer = self._client.xread(at, limit.rows, max(1, int(limit.wait_seconds * 1000)))
        self._sent += [_number(entries[0][0].decode())[0] for _, entries in _pairs(answer) if entries]
        blocks = [self._block(stream.decode(), entries) for stream, entries in _pairs(answer) if entries]
        self._finish()
        return blocks

    def _block(self, stream: str, entries: list[tuple[bytes, dict[bytes, bytes] | None]]) -> Block:
        self._at[stream] = entries[-1][0].decode()
        wanted = self._source.metadata
        return block(
            stream,
            [_message(stream, i.decode(), fields or {}) for i, fields in entries],
            wanted,
            keys=True,
            headers=True,
        )

    def _finish(self) -> None:
        """End the streams whose last entry of the start was read."""
        for stream, end in self._ends.items():
            if stream in self._at and _number(self._at[stream]) >= _number(end):
                del self._at[stream]
                self._changes.append(Ended(stream))

    def sent_times(self) -> list[int]:
        found, self._sent = self._sent, []
        return found

    def changes(self) -> list[Change]:
        found, self._changes = self._changes, []
        return found

    def close(self) -> None:
        self._client.close()


def _pairs(answer: Any) -> list[tuple[bytes, list[Any]]]:
    """Give streams with their entries, as both protocols of Redis answer."""
    if isinstance(answer, Mapping):
        return [
            (stream, entries[0] if len(entries) == 1 and isinstance(entries[0], list) else entries)
            for stream, entries in answer.items()
        ]
    return list(answer or [])


def _message(stream: str, number: str, fields: Mapping[bytes, bytes]) -> Message:
    headers = [(n.decode(), value) for name, value in fields.items() if (n := _header(name)) is not None]
    milliseconds, sequence = _number(number)
    metadata = {
        "id": number,
        "stream": stream,
        "timestamp": milliseconds,
    }
    # milliseconds and a small sequence in one number, for reports alone
    offset = milliseconds * 1000 + min(sequence, 999)
    return Message(fields.get(b"value"), number, offset, fields.get(b"key"), headers, metadata)


def _header(field: bytes) -> bytes | None:
    """
    Give the name of the header that a field is: others write those of traces without the prefix.

    >>> _header(b"header:a"), _header(b"traceparent"), _header(b"value")
    (b'a', b'traceparent', None)
    """
    if field.startswith(_HEADER):
        return field[len(_HEADER) :]
    return field if field.lower() in _TRACES else None


def _number(entry: str) -> tuple[int, int]:
    """
    Read the id of an entry.

    >>> _number("1526919030474-55")
    (1526919030474, 55)
    """
    milliseconds, _, sequence = entry.partition("-")
    return int(milliseconds), int(sequence or 0)


def _info(client: redis.Redis, stream: str) -> dict[str, Any]:
    """Give what the server knows of a stream; nothing if it is not there yet."""
    try:
        found: dict[str, Any] = client.xinfo_stream(stream)
    except redis.ResponseError as error:
        if "no such key" in str(error):
            return {}
        raise
    return found


def _last_id(client: redis.Redis, stream: str) -> str:
    return _text(_info(client, stream).get("last-generated-id", START))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _next(entry: str) -> str:
    """Give the least id behind one."""
    milliseconds, sequence = _number(entry)
    return f"{milliseconds}-{sequence + 1}"


def _refuse_trimmed(client: redis.Redis, stream: str, position: str) -> None:
    """
    Make sure that no entry behind a position was dropped unread.

    Raises:
        TerminalError: some were, as the stream keeps only so many.
    """
    info = _info(client, stream)
    if not info or client.xrange(stream, position, position):
        return
    first = info["first-entry"]
    oldest = first[0].decode() if first else _next(_text(info["last-generated-id"]))
    if _number(oldest) > _number(position) and info["entries-added"] > info["length"] and position != START:
        message = f"stream '{stream}' has dropped entries before {oldest}, and those behind {position} were not read"
        hint = "keep more ('stream.max-length', MAXLEN), or start with new state: rows are lost"
        raise TerminalError(message, hint=hint)
