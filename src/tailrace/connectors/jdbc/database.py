"""Where a database is, and its errors as ours."""

from __future__ import annotations

import getpass
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import sqlalchemy as sa
from sqlalchemy import exc

from tailrace.connectors.jdbc import postgres
from tailrace.errors import ConfigError, DataError, Location, TailraceError, TerminalError, TransientError, did_you_mean
from tailrace.options import Values

_DRIVERS = {
    "postgresql": "postgresql+pg8000",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "duckdb": "duckdb",
}
_MODULES = {"postgresql+pg8000": "pg8000", "mysql+pymysql": "pymysql", "duckdb": "duckdb_engine"}
_SSL_MODES = ("disable", "require", "verify-ca", "verify-full")
_LOGIN = ("28", "08004", "42501", "1045", "1044", "1142", "1698")
"""SQL states (and error numbers of MySQL) of a login or a right that is refused."""
_PASSING = ("08", "40001", "40P01", "53", "55P03", "57", "1205", "1213", "2006", "2013", "2003", "1040")
"""Of what goes away by itself: connections, deadlocks, conflicts, too many clients, a server that stops or starts."""
_ROWS = ("22", "23", "1062", "1048", "1264", "1366", "1406", "1452", "3819", "4025")
"""Of a value or a row that breaks a rule of the table."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database: `shown` is its address without secrets."""

    url: sa.URL = field(repr=False)
    shown: str
    seconds: float
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, options: Values) -> Database:
        """
        Read the options.

        Raises:
            ConfigError: the URL is none, or the library for it is not installed.
        """
        at = options.location("url")
        scheme, rest = _cut(options["url"], at)
        driver = _DRIVERS[scheme]
        seconds = options["connection.max-retry-timeout"] / 1000
        if scheme == "duckdb":
            url = sa.URL.create(driver, database=rest.removeprefix("//") or ":memory:")
            return cls(_loaded(url, driver, at), f"{scheme}:{url.database}", seconds)
        parts = urlsplit(f"//{rest.removeprefix('//')}")
        query = dict(parse_qsl(parts.query))
        url = sa.URL.create(
            driver,
            options["username"] or query.get("user") or parts.username or getpass.getuser(),
            options["password"] or query.get("password") or parts.password,
            parts.hostname,
            parts.port,
            parts.path.strip("/") or None,
        )
        shown = f"{scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}/{url.database or ''}"
        return cls(_loaded(url, driver, at), shown, seconds, _arguments(scheme, seconds, query, at))

    @property
    def is_postgres(self) -> bool:
        """Whether it takes and gives rows by COPY."""
        return self.url.get_backend_name() == "postgresql"

    def engine(self) -> sa.Engine:
        """Make what gives connections; it connects with the first statement."""
        pool: dict[str, Any] = (
            {} if self.url.get_backend_name() == "duckdb" else {"pool_size": 8, "pool_pre_ping": True}
        )
        engine = sa.create_engine(self.url, connect_args=dict(self.arguments), hide_parameters=True, **pool)
        if self.is_postgres:
            sa.event.listen(engine, "do_connect", postgres.connect)
        return engine


def _cut(text: str, at: Location | None) -> tuple[str, str]:
    scheme, colon, rest = text.removeprefix("jdbc:").partition(":")
    if not colon or scheme not in _DRIVERS:
        known = ", ".join(f"jdbc:{s}:" for s in _DRIVERS)
        hint = (
            "use connector 'sqlite'"
            if scheme == "sqlite"
            else did_you_mean(scheme, _DRIVERS) or f"it begins with one of {known}"
        )
        raise ConfigError("'url' is no address of a database that is known", hint=hint, location=at)
    return scheme, rest


def _loaded(url: sa.URL, driver: str, at: Location | None) -> sa.URL:
    try:
        url.get_dialect().import_dbapi()
    except (ImportError, exc.NoSuchModuleError):
        hint = f"pip install '{_MODULES[driver].replace('_', '-')}'"
        raise ConfigError(f"'url' needs the library {_MODULES[driver]}", hint=hint, location=at) from None
    return url


def _arguments(scheme: str, seconds: float, query: Mapping[str, str], at: Location | None) -> dict[str, Any]:
    """Give what the driver takes beside the address: time-outs and TLS."""
    given = (
        {"timeout": seconds}
        if scheme == "postgresql"
        else {"connect_timeout": max(1, int(seconds)), "read_timeout": max(1, int(seconds))}
    )
    unknown = set(query) - {"user", "password", "sslmode", "sslrootcert"}
    if unknown:
        hint = "it knows sslmode and sslrootcert"
        raise ConfigError(f"'url' has a parameter '{min(unknown)}' that is not known", hint=hint, location=at)
    mode = query.get("sslmode", "disable")
    if mode not in _SSL_MODES:
        raise ConfigError(f"sslmode '{mode}' is not known", hint=f"it is one of {', '.join(_SSL_MODES)}", location=at)
    if mode == "disable":
        return given
    context = ssl.create_default_context(cafile=query.get("sslrootcert"))
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE  # as the mode says: encrypted, and not checked
    return given | {"ssl_context" if scheme == "postgresql" else "ssl": context}


@contextmanager
def reported(database: Database) -> Iterator[None]:
    """
    Turn errors of databases into ours.

    Raises:
        TransientError: it is away or busy for now.
        DataError: it refuses a row.
        TerminalError: a login, a right or a statement is refused.
    """
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise _ours(getattr(error, "orig", None) or error, database, lost=_is_lost(error)) from None
    except TailraceError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in (
            "pg8000",
            "pymysql",
            "duckdb",
            "_duckdb",
        ) and not isinstance(error, OSError):
            raise
        raise _ours(error, database, lost=isinstance(error, OSError)) from None


def _is_lost(error: Exception) -> bool:
    return isinstance(error, exc.TimeoutError) or bool(getattr(error, "connection_invalidated", False))


def _ours(error: Exception, database: Database, *, lost: bool) -> TailraceError:
    code, text = _code(error)
    message = f"database {database.shown}: {text}"
    if code.startswith(_LOGIN):
        return TerminalError(message, hint="set 'username' and 'password', or give the user the right")
    if code.startswith(_ROWS) or type(error).__name__ == "ConstraintException":
        return DataError(message)
    if code.startswith(_PASSING) or (not code and (lost or _is_connection(error))):
        return TransientError(message, hint="look at the address and the server")
    return TerminalError(message)


def _is_connection(error: Exception) -> bool:
    return isinstance(error, OSError) or type(error).__name__ in ("InterfaceError", "OperationalError", "IOException")


def _code(error: Exception) -> tuple[str, str]:
    """Give the SQL state or number of an error, and what it says; PostgreSQL's is a dictionary of fields, with the row's values."""
    if isinstance(error, OSError):
        return "", error.strerror or str(error) or type(error).__name__
    first = error.args[0] if error.args else ""
    if isinstance(first, dict):
        return str(first.get("C", "")), str(first.get("M", "refused"))
    if isinstance(first, int):
        return str(first), str(error.args[1]) if len(error.args) > 1 else str(first)
    return "", str(error).splitlines()[0] if str(error) else type(error).__name__
