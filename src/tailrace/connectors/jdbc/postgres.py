"""Connections to PostgreSQL."""

from __future__ import annotations

import socket
from typing import Any


def connect(dialect: Any, _record: object, arguments: list[Any], named: dict[str, Any]) -> Any:
    """
    Connect by a socket of our own, as an event `do_connect` of SQLAlchemy: pg8000 leaves its socket open where a server goes away at once.

    Raises:
        Exception: pg8000's errors.
    """
    library = dialect.loaded_dbapi
    where = (named.get("host") or "localhost", named.get("port") or 5432)
    try:
        opened = socket.create_connection(where, named.get("timeout"))
    except OSError as error:
        raise library.InterfaceError(f"can't connect to {where[0]}:{where[1]}: {error}") from error
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    try:
        return library.Connection(*arguments, **named, sock=opened)
    except BaseException:
        opened.close()
        raise
