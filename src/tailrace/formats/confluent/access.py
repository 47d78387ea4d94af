"""How a schema registry is reached: the options of a format, under Flink's names, and what they say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tailrace.errors import ConfigError
from tailrace.options import Option, Values, choice, duration, integer, string

_SOURCES = "`USER_INFO`: those of the option beside it; `URL`: those in the address"


def address(text: str) -> str:
    """
    Read the address of a registry, or several, tried in turn.

    >>> address("http://localhost:8081/")
    'http://localhost:8081'
    """
    found = [part.strip().rstrip("/") for part in text.split(",") if part.strip()]
    for part in found:
        split = urlsplit(part)
        if split.scheme not in ("http", "https") or not split.hostname:
            raise ValueError("expected an address as 'http://localhost:8081', several with commas between them")
    if not found:
        raise ValueError("expected an address as 'http://localhost:8081'")
    return ",".join(found)


def _attempts(text: str) -> int:
    if (value := integer(text)) < 0:
        raise ValueError("expected no less than zero")
    return value


OPTIONS = (
    Option("url", address, doc="the address of the registry; several with commas between them", required=True),
    Option("basic-auth.credentials-source", choice("USER_INFO", "URL"), doc=f"where user and password are: {_SOURCES}"),
    Option("basic-auth.user-info", string, doc="user and password, as `user:password`", secret=True),
    Option("bearer-auth.credentials-source", choice("STATIC_TOKEN"), doc="taken as in Flink: `STATIC_TOKEN`"),
    Option("bearer-auth.token", string, doc="a token, sent in place of a user and password", secret=True),
    Option(
        "ssl.truststore.location", string, doc="a PEM file of the authorities to trust; default: those of the system"
    ),
    Option("ssl.truststore.password", string, doc="means nothing with PEM files, and is refused", secret=True),
    Option("ssl.keystore.location", string, doc="a PEM file with the client's certificate and key"),
    Option("ssl.keystore.password", string, doc="the password of the key in it", secret=True),
    Option("tailrace.timeout", duration, 10_000, "how long an answer may take"),
    Option("tailrace.retries", _attempts, 2, "how often a request is tried again at once, with growing waits"),
)
"""What every format of a registry takes to reach it."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a registry. Equal ones share a client."""

    url: str
    user_info: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    authorities: str = ""
    certificate: str = ""
    key_password: str = field(default="", repr=False)
    timeout_seconds: float = 10.0
    retries: int = 2

    @property
    def shown(self) -> str:
        """The address as messages show it: without a user and password."""
        return ",".join(_without_user(part) for part in self.url.split(","))

    @classmethod
    def of(cls, options: Values) -> Access:
        """
        Read the options.

        Raises:
            ConfigError: they contradict each other, or a file can't be used.
        """
        user, token = options["basic-auth.user-info"] or "", options["bearer-auth.token"] or ""
        if user and token:
            at = options.location("bearer-auth.token")
            raise ConfigError("a registry takes a user or a token", hint="leave one of the two out", location=at)
        if options["basic-auth.credentials-source"] == "USER_INFO" and ":" not in user:
            at = options.location("basic-auth.credentials-source")
            raise ConfigError("'USER_INFO' needs 'basic-auth.user-info' = 'user:password'", location=at)
        if options["ssl.truststore.password"] is not None:
            hint = "leave it out, and give 'ssl.truststore.location' a PEM file"
            at = options.location("ssl.truststore.password")
            raise ConfigError(
                "'ssl.truststore.password' is for Java's stores, which can't be read", hint=hint, location=at
            )
        return cls(
            options["url"],
            user,
            token,
            _pem(options, "ssl.truststore.location"),
            _pem(options, "ssl.keystore.location"),
            options["ssl.keystore.password"] or "",
            options["tailrace.timeout"] / 1000,
            options["tailrace.retries"],
        )


def _without_user(url: str) -> str:
    split = urlsplit(url)
    return url.replace(f"{split.netloc.rpartition('@')[0]}@", "", 1) if "@" in split.netloc else url


def _pem(options: Values, key: str) -> str:
    """Give the path of a PEM file, having looked into it."""
    name = options[key]
    if not name:
        return ""
    try:
        with Path(name).open("rb") as file:
            is_pem = b"-----BEGIN" in file.read(1 << 16)
    except OSError as error:
        raise ConfigError(f"'{key}' can't be read: {error}", location=options.location(key)) from None
    if not is_pem:
        hint = "convert Java's store: keytool -importkeystore … -deststoretype PKCS12, then openssl pkcs12 -nodes"
        raise ConfigError(f"'{key}': '{name}' is no PEM file", hint=hint, location=options.location(key))
    return str(name)
