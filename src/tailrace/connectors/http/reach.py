"""Connections to servers, and which addresses are never reached: the name is looked up once, checked, and connected to as it was checked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from tailrace.errors import ConfigError, TerminalError

_IDLE_SECONDS = 5.0
_CLOUDS = frozenset({"fd00:ec2::254", "100.100.100.200"})
"""Where clouds hand out credentials, beside the link-local addresses."""


class RefusedAddressError(TerminalError):
    """The name leads to an address that is not reached."""


def check_address(host: str, address: str) -> None:
    """
    Make sure that an address may be reached.

    Raises:
        RefusedAddressError: it is link-local, of a group, or nobody's.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    plain = getattr(found, "ipv4_mapped", None) or found
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified or str(plain) in _CLOUDS:
        hint = "set 'allow-link-local' = 'true' if that is meant"
        raise RefusedAddressError(f"'{host}' leads to {plain}, which is not reached", hint=hint)


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    for address in addresses:
        check_address(host, address)
    return addresses


class _Guard(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError(f"'{host}' has no address")
        for address in _resolved(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _AsyncGuard(httpcore.AnyIOBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  as the base has it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError(f"'{host}' has no address")
        for address in await asyncio.to_thread(_resolved, host, port):
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def tls(ca_location: str | None) -> ssl.SSLContext:
    """
    Make the context by which servers are checked.

    Raises:
        ConfigError: the file with certificates can't be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_location)
    except OSError as error:
        raise ConfigError(f"'ssl.ca-location' can't be read: {error}") from None


def client(context: ssl.SSLContext, seconds: float, *, guarded: bool) -> httpx.Client:
    """Make a client for threads; it follows no redirects."""
    transport = httpx.HTTPTransport(verify=context)
    if guarded:
        pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=None, keepalive_expiry=_IDLE_SECONDS, network_backend=_Guard()
        )
        transport._pool = pool  # noqa: SLF001  there is no other way in
    return httpx.Client(transport=transport, timeout=seconds, follow_redirects=False)


def async_client(context: ssl.SSLContext, seconds: float, *, guarded: bool) -> httpx.AsyncClient:
    """Make a client for an event loop; it follows no redirects."""
    transport = httpx.AsyncHTTPTransport(verify=context)
    if guarded:
        pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=None, keepalive_expiry=_IDLE_SECONDS, network_backend=_AsyncGuard()
        )
        transport._pool = pool  # noqa: SLF001  as above
    return httpx.AsyncClient(transport=transport, timeout=seconds, follow_redirects=False)
