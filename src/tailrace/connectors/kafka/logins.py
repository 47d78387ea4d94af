"""
How a client proves who it is, where librdkafka can't be told by a property alone.

What is read from a file or asked of a service is read when a client is made. A token is renewed while the client lives, and
so is a password from a file that has changed.
"""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from tailrace.connectors.kafka import library, stores
from tailrace.connectors.kafka.properties import OWN, Properties, Property
from tailrace.errors import ConfigError, TailraceError

LOGIN, PASSWORD_FILE = f"{OWN}login", f"{OWN}password-file"
NO_TOKEN = "Failed to acquire SASL OAUTHBEARER token"  # noqa: S105 - the words of librdkafka
"""What librdkafka says when no new token can be had; the one before may be good for some time yet."""

LOOK_SECONDS = 1.0
"""How often a file with a password is looked at."""

LEAST_REST_MS = 5_000
"""A token that lasts for longer is used on when no new one can be had; it is asked for again before the end."""

_REGION = re.compile(r"\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com")
_log = structlog.get_logger("tailrace.kafka")


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and until when it is good (milliseconds since 1970)."""

    value: str
    expires: int


Tokens = Callable[[], Token]
"""Makes a new token; raises whatever its library does."""


def tokens_of(properties: Properties) -> Tokens | None:
    """
    Give what makes the tokens of a client; None where librdkafka needs none from us.

    Raises:
        ConfigError: a library is not installed, or something that it needs to know is not given.
    """
    given = properties.get(LOGIN)
    return MAKERS[given.value](properties, given) if given is not None else None


def _text(properties: Properties, name: str) -> str:
    found = properties.get(f"{LOGIN}.{name}")
    return found.value if found is not None else ""


def _hosts(properties: Properties) -> str:
    return properties["bootstrap.servers"].value


def _needs(given: Property, module: str, extra: str) -> ConfigError:
    hint = f"pip install 'tailrace[{extra}]'"
    return ConfigError(f"'{given.option}' = '{given.value}' needs '{module}'", hint=hint, location=given.location)


def _aws(properties: Properties, given: Property) -> Tokens:
    """Sign with the credentials that AWS's own libraries find: of the environment, a profile, a role."""
    try:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider as Signer  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise _needs(given, "aws_msk_iam_sasl_signer", "msk") from None
    profile, role = _text(properties, "profile"), _text(properties, "role")
    region = _text(properties, "region")
    if not region and (found := _REGION.search(_hosts(properties))):
        region = found[1]
    region = region or os.environ.get("AWS_REGION", "") or os.environ.get("AWS_DEFAULT_REGION", "")
    if not region:
        hint = "set 'tailrace.kafka.login.region', or AWS_REGION"
        raise ConfigError("the AWS region of the cluster is not known", hint=hint, location=given.location)

    def make() -> Token:
        if not role:
            _need_aws_credentials(profile)
        if role:
            value, expires = Signer.generate_auth_token_from_role_arn(region, role)
        elif profile:
            value, expires = Signer.generate_auth_token_from_profile(region, profile)
        else:
            value, expires = Signer.generate_auth_token(region)
        return Token(value, int(expires))

    return make


def _need_aws_credentials(profile: str) -> None:
    """
    Look whether AWS's libraries find credentials, of a profile if one is named: the signer takes for granted that they do.

    Raises:
        ConfigError: they find none.
    """
    from botocore.session import Session  # noqa: PLC0415 - an extra

    if Session(profile=profile or None).get_credentials() is None:
        raise ConfigError(
            "AWS's libraries find no credentials: in the environment, a profile, or a role of the machine"
        )


def _azure(properties: Properties, given: Property) -> Tokens:
    """Ask Microsoft Entra ID as `DefaultAzureCredential` does: environment, workload or managed identity, command line."""
    try:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise _needs(given, "azure.identity", "azure") from None
    host = _hosts(properties).split(",")[0].rpartition(":")[0]
    scope = _text(properties, "scope") or f"https://{host}/.default"
    credential = DefaultAzureCredential()

    def make() -> Token:
        found = credential.get_token(scope)
        return Token(found.token, int(found.expires_on) * 1000)

    return make


MAKERS: dict[str, Callable[[Properties, Property], Tokens]] = {"aws-msk-iam": _aws, "azure": _azure}
"""What makes tokens, by the value of `tailrace.kafka.login`."""


class Renewal:
    """Gives a client its tokens, on a thread of librdkafka; the last good one is used on while no new one can be had."""

    def __init__(self, tokens: Tokens) -> None:
        self._lib = library.load()
        self._tokens = tokens
        self._last: Token | None = None
        self.callback = library.TokenCallback(self._renew)

    def _renew(self, handle: int, _config: bytes | None, _opaque: int) -> None:
        try:
            self._set(handle, self._tokens())
        except Exception as error:  # noqa: BLE001 - of any library; an error can't cross librdkafka, and is told by it
            self._not_renewed(handle, error)

    def _set(self, handle: int, token: Token) -> None:
        reason = ctypes.create_string_buffer(512)
        if self._lib.oauthbearer_set_token(
            handle, token.value.encode(), token.expires, b"tailrace", None, 0, reason, len(reason)
        ):
            raise ValueError(reason.value.decode(errors="replace"))
        self._last = token

    def _not_renewed(self, handle: int, error: Exception) -> None:
        said = error.message if isinstance(error, TailraceError) else f"{type(error).__name__}: {error}"
        reason = said.split("\n", 1)[0]
        last = self._last
        if last is not None and last.expires - time.time() * 1000 > LEAST_REST_MS:
            _log.warning("no new token could be had; the last one is used on", error=reason)
            # given again it is asked for anew when most of the time that it has left is over
            self._set(handle, last)
        else:
            self._lib.oauthbearer_set_token_failure(handle, reason.encode())


class PasswordFile:
    """A password that a file holds, and that may change there."""

    def __init__(self, given: Property) -> None:
        self._path = Path(given.value)
        self._location = given.location
        self._stamp = self._state()
        self._looked = time.monotonic()

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def read(self) -> str:
        """
        Give the password.

        Raises:
            ConfigError: the file can't be read, or is empty.
        """
        try:
            text = self._path.read_text().strip("\r\n")
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise ConfigError(f"the password can't be read: {self._path}: {reason}", location=self._location) from None
        if not text:
            raise ConfigError(f"the password can't be read: {self._path} is empty", location=self._location)
        return text

    def changed(self) -> str | None:
        """Give the password if the file has changed since the last call; looks at it once a second."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return None
        self._looked = time.monotonic()
        stamp = self._state()
        if stamp is None or stamp == self._stamp:
            return None
        try:
            password = self.read()
        except ConfigError as error:
            _log.warning("the password of before is used on", error=error.message)
            return None
        self._stamp = stamp
        return password


_DISTRUST = {
    9: "is not good yet",
    10: "has expired",
    18: "is self-signed, and 'properties.ssl.ca.location' does not name it",
    19: "is signed by an authority that 'properties.ssl.ca.location' does not name",
    20: "is signed by an authority that 'properties.ssl.ca.location' does not name",
    21: "is signed by an authority that 'properties.ssl.ca.location' does not name",
    23: "was revoked",
    62: "is not for this host",
    64: "is not for this address",
}
"""The usual codes of OpenSSL."""


def distrust(code: int) -> str:
    """
    Say why a certificate was not taken, by OpenSSL's code.

    >>> distrust(10)
    "the broker's certificate has expired"
    """
    return f"the broker's certificate {_DISTRUST.get(code, f'was not taken (OpenSSL says {code})')}"


def verifies(properties: Properties) -> bool:
    """Tell whether a client looks at the certificates of brokers."""
    checks = properties.get("enable.ssl.certificate.verification")
    protocol = properties.get("security.protocol")
    encrypted = LOGIN in properties if protocol is None else "SSL" in protocol.value.upper()
    return encrypted and (checks is None or checks.value.lower() not in ("false", "0", "f"))


def plain_conf(properties: Properties) -> dict[str, Any]:
    """Give a configuration for a client of confluent-kafka's, which logs nothing."""
    conf: dict[str, Any] = {k: p.value for k, p in resolved(properties).items()} | {"log_level": 0}
    if (tokens := tokens_of(properties)) is not None:

        def renew(_config: str) -> tuple[str, float]:
            token = tokens()
            return token.value, token.expires / 1000

        conf["oauth_cb"] = renew
    return conf


def resolved(properties: Properties) -> Properties:
    """
    Give the properties as librdkafka takes them: with what files hold.

    Raises:
        ConfigError: a file can't be read, or a login does not go with the other options.
    """
    made = {k: v for k, v in properties.items() if not k.startswith(OWN)}
    login, file = properties.get(LOGIN), properties.get(PASSWORD_FILE)
    if login is not None:
        mechanism = next((made[k] for k in ("sasl.mechanism", "sasl.mechanisms") if k in made), None)
        if mechanism is not None and mechanism.value != "OAUTHBEARER":
            text = f"'{login.option}' is for tokens, and the mechanism is '{mechanism.value}'"
            raise ConfigError(text, hint="leave the mechanism out", location=mechanism.location or login.location)
        added = {"sasl.mechanism": "OAUTHBEARER", "security.protocol": "SASL_SSL"}
        made = {k: Property(v, login.option, login.location) for k, v in added.items()} | made
    if file is not None:
        made["sasl.password"] = Property(PasswordFile(file).read(), file.option, file.location)
    return stores.as_pem(made)
