"""Where the server listens, and who may ask it."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass

from tailrace.errors import ConfigError

TOKEN = "TAILRACE_TOKEN"  # noqa: S105  the name of a variable
"""The environment variable with the token that a server on another address than this machine's own asks for."""

LOCAL = ("127.0.0.1", "localhost", "::1")
_LEAST_TOKEN = 16
_FORM = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/\s]+):)?(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port; port 0 takes one that is free."""

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOCAL

    def url(self) -> str:
        """
        Write it as an address for a browser.

        >>> address("8080").url(), address("[::1]:0").url()
        ('http://127.0.0.1:8080', 'http://[::1]:0')
        """
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def address(text: str) -> Address:
    """
    Read `PORT` or `HOST:PORT`; without a host it is this machine alone.

    Raises:
        ConfigError: it is none.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65_535:
        raise ConfigError(f"'{text}' is no address to listen on", hint="write PORT or HOST:PORT, as 127.0.0.1:9249")
    return Address((found["host"] or LOCAL[0]).strip("[]"), int(found["port"]))


def token_for(where: Address) -> str | None:
    """
    Give the token that must be shown; None if none is set and none is needed.

    Raises:
        ConfigError: others can reach the address and there is no token, or one that can be guessed.
    """
    token = os.environ.get(TOKEN) or None
    if token is None and not where.local:
        hint = f"set {TOKEN} to a secret of at least {_LEAST_TOKEN} characters, or listen on 127.0.0.1"
        raise ConfigError(f"others could reach {where.host}:{where.port} without a token", hint=hint)
    if token is not None and len(token) < _LEAST_TOKEN:
        raise ConfigError(f"the token in {TOKEN} is shorter than {_LEAST_TOKEN} characters")
    return token


def is_free(where: Address) -> bool:
    """Tell whether nobody listens there now."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:
        with socket.create_server((where.host, where.port), family=family):
            return True
    except OSError:
        return False
