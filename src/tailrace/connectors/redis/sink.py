"""The sinks of Redis: commands in pipelines; the answer of each row's own is looked at."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import polars as pl
import redis

from tailrace.connectors.base import Report
from tailrace.connectors.bulk import Bulk, BulkSink, Outcome, Refused, split_kinds
from tailrace.connectors.encoding import Message, RowEncoder, messages, one_by_one
from tailrace.connectors.redis.client import Server, as_ours, check_server, reported
from tailrace.connectors.redis.options import HASH
from tailrace.connectors.redis.rows import Layout, field_values
from tailrace.errors import TransientError

Commands = Sequence[tuple[Any, ...]]
"""What is sent for one row, in order."""


class RedisSink(BulkSink):
    """Sends the commands of many rows in one pipeline; a command that fails is of one row."""

    def __init__(self, server: Server, what: str, bulk: Bulk, *, effectively_once: bool) -> None:
        super().__init__(bulk, effectively_once=effectively_once)
        self._server = server
        self._what = what
        self._client: redis.Redis | None = None

    @abstractmethod
    def commands(self, rows: pl.DataFrame) -> list[Commands]:
        """Give the commands of each row."""

    def open(self) -> None:
        self._client = self._client or self._server.client()
        with reported(self._server):
            self._client.ping()

    def send(self, rows: pl.DataFrame) -> Outcome:
        assert self._client is not None
        commands = self.commands(rows)
        pipeline = self._client.pipeline(transaction=False)
        for command in (c for of_row in commands for c in of_row):
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        with reported(self._server):
            answers = pipeline.execute(raise_on_error=False)
        owners = [row for row, of_row in enumerate(commands) for _ in of_row]
        return self._outcome({row: a for row, a in zip(owners, answers, strict=True) if isinstance(a, Exception)})

    def _outcome(self, failed: dict[int, Exception]) -> Outcome:
        refused, again, why = [], [], None
        for row, error in failed.items():
            ours = as_ours(error, self._server)
            if isinstance(ours, TransientError):
                again.append(row)
                why = ours
            else:
                refused.append(Refused(row, "refused", ours.message, ours.hint))
        return Outcome(refused, again, why)

    def check(self) -> Report:
        return check_server(self._server, self._what)

    def close(self) -> None:
        super().close()
        if self._client is not None:
            self._client.close()
            self._client = None


class KeyedSink(RedisSink):
    """Keeps a row at its key, as a hash, a string or an element of a set."""

    def __init__(self, server: Server, layout: Layout, bulk: Bulk, ttl_ms: int | None) -> None:
        super().__init__(server, f"keys that begin with '{layout.prefix}'", bulk, effectively_once=True)
        self._layout = layout
        self._ttl = ttl_ms
        self._encoder = None if layout.data_type == HASH else layout.encoder()

    def commands(self, rows: pl.DataFrame) -> list[Commands]:
        numbered = rows.with_row_index("_row")
        put, gone = split_kinds(numbered)
        found: list[Commands] = [()] * len(rows)
        for frame, make in ((put, self._puts), (gone, self._removals)):
            for row, commands in zip(frame["_row"].to_list(), make(frame.drop("_row")), strict=True):
                found[row] = commands
        return found

    def _puts(self, rows: pl.DataFrame) -> list[Commands]:
        keys = self._layout.keys(rows)
        if self._layout.data_type == HASH:
            values = field_values(rows, self._layout.schema)
            return [self._hash(key, row) for key, row in zip(keys, values, strict=True)]
        expiry = () if self._ttl is None else ("PX", self._ttl)
        if self._layout.many:
            return [self._expiring(k, ("SADD", k, v)) for k, v in zip(keys, self._values(rows), strict=True)]
        return [(("SET", k, v, *expiry),) for k, v in zip(keys, self._values(rows), strict=True)]

    def _hash(self, key: str, row: tuple[Any, ...]) -> Commands:
        """Give the commands of one hash; a field that is NULL is not there."""
        names = self._layout.schema.names
        there = [x for name, value in zip(names, row, strict=True) if value is not None for x in (name, value)]
        missing = [name for name, value in zip(names, row, strict=True) if value is None]
        removal = [("HDEL", key, *missing)] if missing else []
        return self._expiring(key, ("HSET", key, *there), *removal)

    def _expiring(self, key: str, *commands: tuple[Any, ...]) -> Commands:
        return commands if self._ttl is None else (*commands, ("PEXPIRE", key, self._ttl))

    def _removals(self, rows: pl.DataFrame) -> list[Commands]:
        keys = self._layout.keys(rows)
        if self._layout.many:
            return [(("SREM", k, v),) for k, v in zip(keys, self._values(rows), strict=True)]
        return [(("DEL", k),) for k in keys]

    def _values(self, rows: pl.DataFrame) -> list[bytes | None]:
        assert self._encoder is not None
        return one_by_one(self._encoder.encode(rows.select(list(self._layout.value.names))))


class StreamSink(RedisSink):
    """Adds rows to a stream: the field `value`, `key` where the table has one, and headers as fields `header:<name>`."""

    traced = True

    def __init__(self, server: Server, stream: str, encoder: RowEncoder, bulk: Bulk, max_length: int | None) -> None:
        super().__init__(server, f"stream '{stream}'", bulk, effectively_once=False)
        self._encoder = encoder
        self._begin = ("XADD", stream, *(("MAXLEN", "~", max_length) if max_length else ()), "*")

    def open(self) -> None:
        super().open()
        self._encoder.open()

    def commands(self, rows: pl.DataFrame) -> list[Commands]:
        return [((*self._begin, *_fields(m)),) for m in messages(self._encoder.encode(rows))]


def _fields(message: Message) -> list[Any]:
    fields: list[Any] = [] if message.value is None else ["value", message.value]
    fields += [] if message.key is None else ["key", message.key]
    return fields + [x for name, value in message.headers for x in (f"header:{name}", value or b"")]


class ChannelSink(RedisSink):
    """Publishes rows to those who listen just then."""

    def __init__(self, server: Server, channel: str, encoder: RowEncoder, bulk: Bulk) -> None:
        super().__init__(server, f"channel '{channel}'", bulk, effectively_once=False)
        self._channel = channel
        self._encoder = encoder

    def open(self) -> None:
        super().open()
        self._encoder.open()

    def commands(self, rows: pl.DataFrame) -> list[Commands]:
        return [(("PUBLISH", self._channel, m.value or b""),) for m in messages(self._encoder.encode(rows))]
