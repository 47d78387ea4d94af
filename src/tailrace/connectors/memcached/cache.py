"""Memcached as a shared cache of lookups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tailrace.connectors.cache_store import CacheStore
from tailrace.connectors.lookup_options import SERVERS
from tailrace.connectors.memcached.client import Servers, addresses, as_ours, login_of, seconds_of, set_command
from tailrace.errors import TransientError
from tailrace.options import Values

_TOO_LARGE = b"SERVER_ERROR object too large for cache"


class MemcachedStore(CacheStore):
    """Values by multi-gets, and commands that change something all in one go."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self.shown = servers.shown

    @classmethod
    def of(cls, options: Values) -> MemcachedStore:
        """
        Read the options of the table.

        Raises:
            ConfigError: an address is none.
        """
        where = addresses(options[SERVERS], SERVERS, options.location(SERVERS))
        login = login_of(options["cache.username"], options["cache.password"])
        return cls(Servers(where, options["cache.timeout"] / 1000, login))

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        return {k.decode(): v for k, v in self._servers.get([k.encode() for k in keys]).items()}

    def put(self, values: Mapping[str, bytes], milliseconds: int) -> None:
        seconds = seconds_of(milliseconds)
        commands = {k.encode(): set_command(b"set", k.encode(), v, seconds) for k, v in values.items()}
        self._heed(self._servers.send(commands), (b"STORED", _TOO_LARGE))

    def claim(self, keys: Sequence[str], value: bytes, milliseconds: int) -> set[str]:
        seconds = seconds_of(milliseconds)
        commands = {k.encode(): set_command(b"add", k.encode(), value, seconds) for k in keys}
        answers = self._servers.send(commands)
        self._heed(answers, (b"STORED", b"NOT_STORED"))
        return {k.decode() for k, answer in answers.items() if answer == b"STORED"}

    def drop(self, keys: Sequence[str]) -> None:
        answers = self._servers.send({k.encode(): b"delete %s\r\n" % k.encode() for k in keys})
        self._heed(answers, (b"DELETED", b"NOT_FOUND"))

    def _heed(self, answers: Mapping[bytes, bytes], expected: tuple[bytes, ...]) -> None:
        odd = next((a for a in answers.values() if a not in expected), None)
        if odd is not None:
            error = as_ours(odd, self.shown)
            raise error if isinstance(error, TransientError) else TransientError(error.message)

    def rest(self) -> None:
        self._servers.rest()

    def close(self) -> None:
        self._servers.close()
