"""
A schema registry that speaks Confluent's HTTP API, by the client of confluent-kafka.

Answers that can't change (the schema of an id, a version of a subject) are kept, up to a number of them. What fails is told apart by
its cause: a registry that is away is a `TransientError`, one that refuses us a `TerminalError`, and an id, subject or version
that it does not know an answer.
"""

from __future__ import annotations

import ssl
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.client import responses
from typing import Any, TypeVar

from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.formats.confluent.access import Access

CAPACITY = 1000
"""So many schemas are kept."""
MAX_REFERENCES = 200
"""A schema may lead to so many others."""
_RETRY_MS, _LONGEST_RETRY_MS = 100, 2000
_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA = 40401, 40402, 40403
_AWAY = (408, 425, 429)

T = TypeVar("T")


class UnknownSchemaError(TailraceError):
    """The registry is there, and has no schema with this id."""

    code = "TR200"


class IncompatibleSchemaError(ConfigError):
    """The registry refuses a schema, as it breaks the compatibility that its subject promises."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another schema that a schema uses under a name."""

    name: str
    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class RegistrySchema:
    """The text of a schema; `kind` is AVRO, JSON or PROTOBUF."""

    text: str
    kind: str = "AVRO"
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A schema as it stands under a subject."""

    subject: str
    version: int
    id: int
    schema: RegistrySchema


class Registry:
    """Asks one registry; may be used by several threads."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._client: Any = None
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._latest: dict[str, Version] = {}

    @property
    def shown(self) -> str:
        """The address, as messages show it."""
        return self._access.shown

    def schema(self, number: int) -> RegistrySchema:
        """
        Give the schema of an id.

        Raises:
            UnknownSchemaError: there is none.
            TransientError, TerminalError: the registry can't be asked.
        """

        def ask(client: Any) -> RegistrySchema:
            return _schema(client.get_schema(number))

        found = self._kept_or(("id", number), ask)
        if found is None:
            raise UnknownSchemaError(f"the schema registry {self.shown} knows no schema {number}")
        return found

    def latest(self, subject: str, *, kept: bool = False) -> Version | None:
        """
        Give the newest version of a subject; None if there is no such subject.

        With `kept` the last answer counts while the registry is away: each reader of a table asks once, at its first row.
        """

        def ask(client: Any) -> Version:
            client.clear_latest_caches()
            return _version(client.get_latest_version(subject))

        try:
            found = self._ask(ask)
        except TransientError:
            if not kept or subject not in self._latest:
                raise
            return self._latest[subject]
        if found is not None:
            self._latest[subject] = found
        return found

    def version(self, subject: str, number: int) -> Version | None:
        """Give one version of a subject; None if it has none of this number."""
        return self._kept_or(("version", subject, number), lambda c: _version(c.get_version(subject, number)))

    def versions(self, subject: str) -> list[int]:
        """Give the numbers of a subject's versions, ascending; empty if there is no such subject."""
        return sorted(self._ask(lambda c: c.get_versions(subject)) or [])

    def subjects(self) -> list[str]:
        """Give the names of all subjects."""
        return sorted(self._ask(lambda c: c.get_subjects()) or [])

    def registered(self, subject: str, schema: RegistrySchema) -> int | None:
        """Give the id that a schema has under a subject; None if it is not there."""
        return self._ask(lambda c: int(c.lookup_schema(subject, _given(schema)).schema_id))

    def compatible(self, subject: str, schema: RegistrySchema) -> bool:
        """Tell whether the subject would take a schema as its next version: there may be no such subject yet."""
        if not self.versions(subject):
            return True
        found = self._ask(lambda c: bool(c.test_compatibility_all_versions(subject, _given(schema))))
        return found is not False

    def compatibility(self, subject: str) -> str:
        """Give the compatibility that a subject promises, as `BACKWARD`; empty if the registry does not say."""
        own = self._ask(lambda c: c.get_compatibility(subject))
        return str(own or self._ask(lambda c: c.get_compatibility()) or "")

    def register(self, subject: str, schema: RegistrySchema) -> int:
        """
        Make a schema the newest version of a subject, unless it is one already; give its id.

        Raises:
            IncompatibleSchemaError: the subject does not take it.
        """
        number = self._ask(lambda c: int(c.register_schema(subject, _given(schema))), refused=subject)
        if number is None:
            raise TerminalError(f"the schema registry {self.shown} does not register schemas")
        return number

    def referenced(self, schema: RegistrySchema) -> dict[str, RegistrySchema]:
        """
        Give all schemas that one leads to, by the names under which they are used, those first that others need.

        Raises:
            UnknownSchemaError: one of them is not there.
            TerminalError: there are too many.
        """
        found: dict[str, RegistrySchema] = {}
        self._collect(schema, found, 0)
        return found

    def _collect(self, schema: RegistrySchema, found: dict[str, RegistrySchema], asked: int) -> int:
        for reference in schema.references:
            if reference.name in found:
                continue
            asked += 1
            if asked > MAX_REFERENCES:
                raise TerminalError(f"a schema leads to more than {MAX_REFERENCES} others, or to itself")
            version = self.version(reference.subject, reference.version)
            if version is None:
                where = f"version {reference.version} of '{reference.subject}'"
                raise UnknownSchemaError(f"the schema registry {self.shown} has no {where}, which a schema refers to")
            asked = self._collect(version.schema, found, asked)
            found[reference.name] = version.schema
        return asked

    def _kept_or(self, key: tuple[Any, ...], ask: Callable[[Any], T]) -> T | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: T = self._kept[key]
                return kept
        found = self._ask(ask)
        if found is not None:
            with self._lock:
                self._kept[key] = found
                if len(self._kept) > CAPACITY:
                    self._kept.popitem(last=False)
                    self._client.clear_caches()  # it keeps every answer
        return found

    def _ask(self, ask: Callable[[Any], T], refused: str = "") -> T | None:
        """Ask; give None for what the registry does not know."""
        client = self._connected()
        try:
            return ask(client)
        except Exception as error:
            if _is_unknown(error):
                return None
            raise self._failure(error, refused) from error

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._access)
                weakref.finalize(self, self._client.close)
            return self._client

    def _failure(self, error: Exception, refused: str) -> Exception:
        """Turn a failure into ours, by what the caller should do."""
        status = getattr(error, "http_status_code", None)
        shown = f"the schema registry {self.shown}"
        if status is None:
            return self._unreachable(error, shown)
        # what is no registry says nothing in a registry's words
        said = _shortened(str(getattr(error, "error_message", None) or responses.get(status, "")))
        if status in (401, 403):
            hint = "look at 'basic-auth.user-info' or 'bearer-auth.token', and at the rights of this user"
            return TerminalError(f"{shown} refuses us ({status}): {said}", hint=hint)
        if status in _AWAY or status >= 500:
            return TransientError(f"{shown} can't answer ({status}): {said}")
        if status in (409, 422) and refused:
            kept = "would break its compatibility" if status == 409 else "is no schema that it takes"
            hint = "look with 'tailrace schema diff', or change the compatibility of the subject"
            return IncompatibleSchemaError(
                f"{shown} refuses the schema for '{refused}', which {kept}: {said}", hint=hint
            )
        hint = "look at 'url': it is what stands before '/subjects'" if status == 404 else ""
        return TerminalError(f"{shown} refuses the request ({status}): {said}", hint=hint)

    @staticmethod
    def _unreachable(error: Exception, shown: str) -> Exception:
        if not _is_network(error):
            return error
        if _is_certificate(error):
            hint = "look at 'ssl.truststore.location' and at the name in the address"
            return TerminalError(f"{shown} can't be trusted: {_shortened(str(error))}", hint=hint)
        hint = "look at 'url', and whether the registry runs"
        return TransientError(f"{shown} can't be reached: {_shortened(str(error) or type(error).__name__)}", hint=hint)


@cache
def registry(access: Access) -> Registry:
    """Give the one client of a registry."""
    return Registry(access)


def _client(access: Access) -> Any:
    try:
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        hint = "pip install 'tailrace[registry]'"
        raise ConfigError(f"formats of a schema registry need '{error.name}'", hint=hint) from None
    given: dict[str, Any] = {
        "url": access.url,
        "timeout": access.timeout_seconds,
        "max.retries": access.retries,
        "retries.wait.ms": _RETRY_MS,
        "retries.max.wait.ms": _LONGEST_RETRY_MS,
        "cache.capacity": CAPACITY,
        "ssl.ca.location": access.authorities or None,
        "ssl.certificate.location": access.certificate or None,
        "ssl.key.password": access.key_password or None,
    }
    if access.user_info:
        given["basic.auth.user.info"] = access.user_info
    if access.token:
        fields = {"bearer.auth.token": access.token, "bearer.auth.logical.cluster": ""}
        given |= {
            "bearer.auth.credentials.source": "CUSTOM",
            "bearer.auth.custom.provider.function": lambda _: fields,
            "bearer.auth.custom.provider.config": {},
        }
    try:
        return SchemaRegistryClient({k: v for k, v in given.items() if v is not None})
    except (ValueError, OSError) as error:
        raise ConfigError(f"the schema registry {access.shown} can't be used so: {error}") from None


def _given(schema: RegistrySchema) -> Any:
    from confluent_kafka.schema_registry import Schema, SchemaReference  # noqa: PLC0415  as above

    references = [SchemaReference(r.name, r.subject, r.version) for r in schema.references]
    return Schema(schema.text, schema.kind, references)


def _schema(given: Any) -> RegistrySchema:
    references = tuple(Reference(str(r.name), str(r.subject), int(r.version)) for r in given.references or ())
    return RegistrySchema(str(given.schema_str or ""), str(given.schema_type or "AVRO"), references)


def _version(given: Any) -> Version:
    return Version(str(given.subject), int(given.version), int(given.schema_id), _schema(given.schema))


def _is_unknown(error: Exception) -> bool:
    status = getattr(error, "http_status_code", None)
    return status == 404 and getattr(error, "error_code", None) in (_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA, 40408)


def _is_network(error: BaseException) -> bool:
    """Tell whether an exception is of the HTTP client, whichever of its names is installed."""
    return any(c.__name__ in ("TransportError", "OAuthTokenError") for c in type(error).__mro__) or isinstance(
        error, OSError
    )


def _is_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:300]} …"
