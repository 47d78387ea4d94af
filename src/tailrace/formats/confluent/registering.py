"""Rows with the id of their schema before each: registered, or looked up, before the first is written."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from tailrace.errors import ConfigError
from tailrace.formats.base import Encoder, Rows
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.client import IncompatibleSchemaError, Registry, RegistrySchema, registry
from tailrace.formats.confluent.framing import header
from tailrace.formats.confluent.places import Place
from tailrace.options import Values


@dataclass(frozen=True, slots=True)
class Contract:
    """
    What a table promises of its rows: a schema, and the subject of a registry that it belongs to.

    `register` makes it the newest version there, and gives its id.
    """

    registry: Registry
    subject: str
    schema: RegistrySchema
    register: Callable[[], int]


class RegisteringEncoder(Encoder):
    """Writes rows with the id of the table's schema before each, which `open` registers."""

    def __init__(self, options: Values, place: Place, record: str) -> None:
        self._registry, self._location = registry(Access.of(options)), options.location("url")
        self._subject = place.subject(options, record)
        self._register: bool = options["tailrace.auto-register"]
        self._header = b""

    @abstractmethod
    def _known(self, *, register: bool) -> RegistrySchema | None:
        """Give the schema, with what it refers to; None if that is not there, and may not be registered."""

    @abstractmethod
    def _written(self, batch: pl.DataFrame, before: bytes) -> Rows:
        """Write rows with `before` before each."""

    @property
    def contract(self) -> Contract | None:
        """The schema that it writes, and its subject; None if what it refers to is not registered yet."""
        known = self._known(register=False)
        return None if known is None else Contract(self._registry, self._subject, known, self._put)

    def _put(self) -> int:
        known = self._known(register=True)
        if known is None:
            raise self._not_registered()
        return self._registry.register(self._subject, known)

    def check(self) -> str:
        shown = f"schema registry {self._registry.shown}: subject '{self._subject}'"
        known = self._known(register=False)
        number = None if known is None else self._registry.registered(self._subject, known)
        if number is not None:
            return f"{shown}, schema {number}"
        if not self._register:
            raise self._not_registered()
        if known is not None and not self._registry.compatible(self._subject, known):
            kept = self._registry.compatibility(self._subject)
            hint = f"see 'tailrace schema diff', or change the compatibility of the subject ({kept})"
            message = f"{shown}: the table's schema would break its compatibility"
            raise IncompatibleSchemaError(message, hint=hint, location=self._location)
        return f"{shown}, to be registered"

    def open(self) -> None:
        if self._register:
            self.check()
        known = self._known(register=self._register)
        number: int | None = None
        if known is not None and self._register:
            number = self._registry.register(self._subject, known)
        elif known is not None:
            number = self._registry.registered(self._subject, known)
        if number is None:
            raise self._not_registered()
        self._header = header(number)

    def _not_registered(self) -> ConfigError:
        hint = f"register it: tailrace schema register {self._subject} …, or set 'tailrace.auto-register' = 'true'"
        message = f"the table's schema is not registered under '{self._subject}' in {self._registry.shown}"
        return ConfigError(message, hint=hint, location=self._location)

    def encode(self, batch: pl.DataFrame) -> Rows:
        if not self._header:
            self.open()
        return self._written(batch, self._header)
