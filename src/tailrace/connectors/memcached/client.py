"""
Connections to Memcached servers, and their errors as ours.

Of pymemcache come connections, pools, reads of many keys, and which server has which key. It writes all but `set` one by one and waits for each
answer, so that commands which change something are sent here in one go, and their answers, a line for each, read after that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from pymemcache.client.base import Client, PooledClient
from pymemcache.client.rendezvous import RendezvousHash
from pymemcache.exceptions import MemcacheClientError, MemcacheError, MemcacheUnexpectedCloseError

from tailrace.connectors.base import Report
from tailrace.errors import ConfigError, Location, TailraceError, TerminalError, TransientError

T = TypeVar("T")

_PORT = 11211
_READ = 1 << 16
_REFUSED_LOGIN = (b"unauthenticated", b"authentication failure")
MOST_KEY_BYTES = 250


class LoginError(Exception):
    """The server refuses the login."""


class Connection(Client):  # type: ignore[misc]  # pymemcache has no types
    """A connection that can log in and send many commands at once."""

    login: bytes | None = None

    def _connect(self) -> None:
        super()._connect()
        if self.login is not None:
            # a server that asks for no login takes it for a value: one that is over at once
            answer = self.lines([set_command(b"set", b"login", self.login, -1)])[0]
            if answer != b"STORED":
                self.close()
                raise LoginError(answer.decode(errors="replace"))

    def lines(self, commands: Sequence[bytes]) -> list[bytes]:
        """Send commands that are answered by one line each, and give the answers."""
        if self.sock is None:
            self._connect()
        try:
            self.sock.sendall(b"".join(commands))
            return self._answers(len(commands))
        except BaseException:
            self.close()
            raise

    def _answers(self, count: int) -> list[bytes]:
        parts: list[bytes] = []
        ends = 0
        while ends < count:
            part = self.sock.recv(_READ)
            if not part:
                raise MemcacheUnexpectedCloseError
            parts.append(part)
            ends += part.count(b"\n")
        answers = b"".join(parts).removesuffix(b"\r\n").split(b"\r\n")
        if len(answers) != count:
            raise MemcacheClientError(answers[0].decode(errors="replace"))
        return answers


class Servers:
    """
    All servers of a table or cache; used by several threads.

    A key is on the server that pymemcache's `HashClient` also picks, so that other programs find it there.
    """

    def __init__(self, addresses: Sequence[tuple[str, int]], seconds: float, login: str | None = None) -> None:
        self.shown = "Memcached at " + ", ".join(f"{host}:{port}" for host, port in addresses)
        kind = type("LoggedIn", (Connection,), {"login": None if login is None else login.encode()})
        self._pools = {f"{host}:{port}": _pool((host, port), seconds, kind) for host, port in addresses}
        self._choice = RendezvousHash(list(self._pools))
        self._threads: ThreadPoolExecutor | None = None

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """
        Give the values of those keys that have one.

        Raises:
            TransientError, TerminalError: as `reported` tells.
        """
        found: dict[bytes, bytes] = {}
        for part in self._each(self._by_server(keys), lambda pool, mine: pool.get_many(mine)):
            found |= part
        return found

    def send(self, commands: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """
        Send one command for each key; give the line that answers it.

        Raises:
            TransientError, TerminalError: as `reported` tells; nothing is known of any of the commands.
        """

        def lines(pool: PooledClient, keys: list[bytes]) -> dict[bytes, bytes]:
            with pool.client_pool.get_and_release(destroy_on_fail=True) as client:
                return dict(zip(keys, client.lines([commands[k] for k in keys]), strict=True))

        found: dict[bytes, bytes] = {}
        for part in self._each(self._by_server(list(commands)), lines):
            found |= part
        return found

    def versions(self) -> list[str]:
        """
        Ask each server for its version.

        Raises:
            TransientError, TerminalError: as `reported` tells.
        """
        everywhere: dict[str, list[bytes]] = {name: [] for name in self._pools}
        return [v.decode() for v in self._each(everywhere, lambda pool, _: pool.version())]

    def _by_server(self, keys: Sequence[bytes]) -> dict[str, list[bytes]]:
        if len(self._pools) == 1:
            return {next(iter(self._pools)): list(keys)} if keys else {}
        found: dict[str, list[bytes]] = defaultdict(list)
        for key in keys:
            found[self._choice.get_node(key.decode())].append(key)
        return found

    def _each(self, parts: Mapping[str, list[bytes]], work: Callable[[Any, list[bytes]], T]) -> list[T]:
        """Do something on each server, on all at a time."""

        def one(name: str) -> T:
            with reported(f"Memcached at {name}"):
                return work(self._pools[name], parts[name])

        if len(self._pools) == 1:
            return [one(name) for name in parts]
        self._threads = self._threads or ThreadPoolExecutor(len(self._pools), "tailrace-memcached")
        return list(self._threads.map(one, parts))

    def rest(self) -> None:
        """Let go of the connections that nobody uses just now; the next call makes others."""
        for pool in self._pools.values():
            pool.close()

    def close(self) -> None:
        """Let go of all connections and threads; the next call makes others."""
        self.rest()
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None


def _pool(address: tuple[str, int], seconds: float, kind: type[Connection]) -> PooledClient:
    pool = PooledClient(
        address, connect_timeout=seconds, timeout=seconds, no_delay=True, default_noreply=False, allow_unicode_keys=True
    )
    pool.client_class = kind
    return pool


@contextmanager
def reported(shown: str) -> Iterator[None]:
    """
    Turn errors of a server into ours.

    Raises:
        TransientError: it is away or busy for now.
        TerminalError: it wants a login, or refuses it.
    """
    try:
        yield
    except LoginError as error:
        hint = "set the user and password that are in its file of logins"
        raise TerminalError(f"{shown} refuses the login: {error}", hint=hint) from None
    except MemcacheUnexpectedCloseError:
        raise TransientError(f"{shown} has closed the connection") from None
    except MemcacheError as error:
        raise as_ours(str(error).encode() or type(error).__name__.encode(), shown) from None
    except OSError as error:
        message = f"{shown} is away: {str(error) or type(error).__name__}"
        raise TransientError(message, hint="look at the address and the server") from None


def as_ours(answer: bytes, shown: str) -> TailraceError:
    """Give an answer that tells of an error as ours."""
    text = answer.decode(errors="replace")
    if any(words in answer for words in _REFUSED_LOGIN):
        hint = "set the user and password that are in its file of logins"
        return TerminalError(f"{shown} wants a login: {text}", hint=hint)
    if b"SERVER_ERROR" in answer or b"out of memory" in answer:
        return TransientError(f"{shown}: {text}")
    return TerminalError(f"{shown}: {text}")


def addresses(texts: Sequence[str], option: str, at: Location | None) -> list[tuple[str, int]]:
    """
    Read addresses of servers.

    >>> addresses(["a", "b:1"], "servers", None)
    [('a', 11211), ('b', 1)]

    Raises:
        ConfigError: one is none.
    """
    found = []
    for text in texts:
        host, _, port = text.partition(":")
        if not host or not (port or "0").isdecimal() or int(port or _PORT) > 65535:
            hint = "write it as localhost:11211"
            raise ConfigError(f"'{option}': '{text}' is no address of a server", hint=hint, location=at)
        found.append((host, int(port or _PORT)))
    return found


def login_of(username: str | None, password: str | None) -> str | None:
    """Give the text by which one logs in; None without a user."""
    return None if username is None else f"{username} {password or ''}"


def seconds_of(milliseconds: int | None) -> int:
    """
    Give a time to live in whole seconds, which is all that Memcached knows; 0: for ever.

    >>> seconds_of(1), seconds_of(2000), seconds_of(None)
    (1, 2, 0)
    """
    return 0 if milliseconds is None else max(1, -(-milliseconds // 1000))


def set_command(verb: bytes, key: bytes, value: bytes, seconds: int) -> bytes:
    r"""
    Write the command that keeps a value.

    >>> set_command(b"add", b"k", b"abc", 5)
    b'add k 0 5 3\r\nabc\r\n'
    """
    return b"%s %s 0 %d %d\r\n%s\r\n" % (verb, key, seconds, len(value), value)


def check_servers(servers: Servers, what: str) -> Report:
    """Reach all servers, and say their versions."""
    try:
        servers.get([b"tailrace-check"])  # a server that wants a login tells its version to everybody
        versions = ", ".join(sorted(set(servers.versions())))
    except TailraceError as error:
        return Report.failed(error)
    finally:
        servers.rest()
    return Report(True, f"{what}, {servers.shown}, Memcached {versions}")
