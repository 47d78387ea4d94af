"""Redis as a shared cache of lookups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import redis

from tailrace.connectors.cache_store import CacheStore
from tailrace.connectors.lookup_options import URL
from tailrace.connectors.redis.client import Server, reported
from tailrace.options import Values


class RedisStore(CacheStore):
    """Values by MGET, and pipelines of SET."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.shown = f"Redis at {server.shown}"
        self._client: redis.Redis = server.client()

    @classmethod
    def of(cls, options: Values) -> RedisStore:
        """
        Read the options of the table.

        Raises:
            ConfigError: the URL is none.
        """
        login = (options["cache.username"], options["cache.password"])
        return cls(Server.at(options[URL], options.location(URL), URL, options["cache.timeout"], login))

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        with reported(self._server):
            values: list[Any] = self._client.mget(list(keys))
        return {k: v for k, v in zip(keys, values, strict=True) if v is not None}

    def put(self, values: Mapping[str, bytes], milliseconds: int) -> None:
        self._piped(("SET", k, v, "PX", milliseconds) for k, v in values.items())

    def claim(self, keys: Sequence[str], value: bytes, milliseconds: int) -> set[str]:
        answers = self._piped(("SET", k, value, "PX", milliseconds, "NX") for k in keys)
        return {k for k, answer in zip(keys, answers, strict=True) if answer}

    def drop(self, keys: Sequence[str]) -> None:
        if keys:
            self._piped([("DEL", *keys)])

    def _piped(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        with reported(self._server):
            answers: list[Any] = pipeline.execute()
        return answers

    def rest(self) -> None:
        self._client.connection_pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        self._client.close()
