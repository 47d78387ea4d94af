"""Sends notices: one class for each kind of channel."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from tailrace.connectors.alert import messages
from tailrace.connectors.alert.board import Notice
from tailrace.errors import ConfigError, TailraceError, TransientError
from tailrace.options import Values

TIMEOUT_SECONDS = 10.0
_TOO_MANY, _TIMEOUT, _SERVER = 429, 408, 500
_SMTP_PORTS = {"smtp": 25, "smtps": 465}


class RefusedError(TailraceError):
    """A channel takes this notice never: to send it again is of no use."""


class Channel(ABC):
    """Where notices go."""

    name: str

    @abstractmethod
    def send(self, notice: Notice) -> None:
        """
        Send one.

        Raises:
            TransientError: it does not answer, or takes no more for now.
            RefusedError: it does not take it.
        """


@dataclass(frozen=True)
class HttpChannel(Channel):
    """A POST with JSON; a `secret` signs the body."""

    name: str
    url: str
    payload: Callable[[Notice], dict[str, Any]]
    secret: str | None = None

    def send(self, notice: Notice) -> None:
        body = json.dumps(self.payload(notice), ensure_ascii=False).encode()
        headers = {"content-type": "application/json", "idempotency-key": notice.id}
        if self.secret:
            signed = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            headers["x-tailrace-signature"] = f"sha256={signed}"
        try:
            answer = httpx.post(self.url, content=body, headers=headers, timeout=TIMEOUT_SECONDS)
        except httpx.TransportError as error:
            raise TransientError(f"channel '{self.name}' does not answer: {type(error).__name__}") from None
        if answer.is_success:
            return
        message = f"channel '{self.name}' answers with status {answer.status_code}"
        if answer.status_code in {_TOO_MANY, _TIMEOUT} or answer.status_code >= _SERVER:
            raise TransientError(message)
        raise RefusedError(message, hint="look at its address and key, and at what it takes")


@dataclass(frozen=True)
class MailChannel(Channel):
    """Mail by a server that takes it (SMTP, with TLS where it can)."""

    name: str
    url: str
    sender: str
    receivers: list[str]

    def send(self, notice: Notice) -> None:
        message = messages.email(notice, self.sender, self.receivers)
        try:
            with self._connected() as server:
                server.send_message(message)
        except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, OSError) as error:
            if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= _SERVER:
                raise RefusedError(f"channel '{self.name}' refuses: status {error.smtp_code}") from None
            raise TransientError(f"channel '{self.name}' does not answer: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        where = urlsplit(self.url)
        host, port = where.hostname or "localhost", where.port or _SMTP_PORTS[where.scheme]
        context = ssl.create_default_context()
        if where.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        return server


def channels(options: Values) -> list[Channel]:
    """
    Make the channels that a table names.

    Raises:
        ConfigError: it names none, or an address is none.
    """
    found: list[Channel] = []
    if url := options["slack.url"]:
        found.append(HttpChannel("slack", _http(url, "slack.url"), messages.slack))
    if url := options["teams.url"]:
        found.append(HttpChannel("teams", _http(url, "teams.url"), messages.teams))
    if key := options["pagerduty.routing-key"]:
        url = _http(options["pagerduty.url"], "pagerduty.url")
        found.append(HttpChannel("pagerduty", url, lambda notice: messages.pagerduty(notice, key)))
    if url := options["webhook.url"]:
        found.append(HttpChannel("webhook", _http(url, "webhook.url"), messages.webhook, options["webhook.secret"]))
    if url := options["email.url"]:
        found.append(_mail(url, options))
    if not found:
        hint = "set one of slack.url, teams.url, pagerduty.routing-key, webhook.url, email.url"
        raise ConfigError("a table of alerts needs a channel", hint=hint)
    return found


def _http(url: str, option: str) -> str:
    """Check an address; it may hold a secret, so that the error does not show it."""
    found = urlsplit(url)
    if found.scheme not in {"http", "https"} or not found.hostname:
        raise ConfigError(f"'{option}' is no address of a web server", hint="it begins with https:// or http://")
    return url


def _mail(url: str, options: Values) -> MailChannel:
    found = urlsplit(url)
    if found.scheme not in _SMTP_PORTS or not found.hostname:
        raise ConfigError("'email.url' is no address of a mail server", hint="it begins with smtp:// or smtps://")
    receivers = [r.strip() for r in (options["email.to"] or "").split(";") if r.strip()]
    if not receivers or not options["email.from"]:
        raise ConfigError("mails need 'email.from' and 'email.to'")
    return MailChannel("email", url, options["email.from"], receivers)
