"""Rows that say by an id which schema they were written with: each is read by its own, and they keep their order."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.clock import Clock, SystemClock
from tailrace.errors import Location, TerminalError
from tailrace.formats.base import Decoded, Decoder, Reject, Rows
from tailrace.formats.confluent.client import Registry, UnknownSchemaError
from tailrace.formats.confluent.framing import unframe
from tailrace.schema import Schema

Numbers = npt.NDArray[np.int64]

MAX_READERS = 1000
"""So many schemas are kept ready."""
FORGET_SECONDS = 30.0
"""So long an id that the registry does not know is not asked for again."""


class Framed(Protocol):
    """Messages by the ids of their schemas: their numbers, what is behind the ids, and the rejects that all other rows are."""

    @property
    def numbers(self) -> Numbers: ...
    @property
    def payloads(self) -> Rows: ...
    @property
    def rejects(self) -> list[Reject]: ...
    def by_id(self) -> Iterable[tuple[Any, Numbers]]: ...


class BySchemaDecoder(Decoder):
    """
    Reads the columns of a schema from rows with the ids of their writers' schemas.

    An id that the registry does not know, or whose schema can't be read as the table's columns, is a reject of its rows.
    """

    def __init__(self, schema: Schema, clock: Clock | None) -> None:
        self._schema = schema
        self._clock = clock or SystemClock()
        self._known: OrderedDict[Any, Decoder | Reject] = OrderedDict()
        self._unknown: dict[Any, tuple[float, Reject]] = {}

    @abstractmethod
    def _framed(self, rows: Rows) -> Framed:
        """Read the headers of rows."""

    @abstractmethod
    def _made(self, number: Any) -> Decoder | Reject:
        """Make what reads the rows of an id, behind the id; a reject if nothing does."""

    def decode(self, rows: Rows) -> Decoded:
        framed = self._framed(rows)
        rejects = list(framed.rejects)
        parts: list[tuple[pl.DataFrame, Numbers]] = []
        for number, places in framed.by_id():
            decoder = self._decoder(number)
            of = framed.numbers[places]
            if isinstance(decoder, Reject):
                rejects += [Reject(int(n), decoder.code, decoder.reason) for n in of]
                continue
            whole = len(places) == len(framed.numbers)
            decoded = decoder.decode(framed.payloads if whole else framed.payloads.take(places))
            rejects += [Reject(int(of[r.row]), r.code, r.reason) for r in decoded.rejects]
            parts.append((decoded.frame, of if decoded.kept is None else of[decoded.kept]))
        return together(self._schema, parts, rejects, len(rows))

    def _decoder(self, number: Any) -> Decoder | Reject:
        """Give what reads rows of an id; a reject if nothing does."""
        if number in self._known:
            self._known.move_to_end(number)
            return self._known[number]
        since, reject = self._unknown.get(number, (None, None))
        if since is not None and reject is not None and self._clock.monotonic() - since < FORGET_SECONDS:
            return reject
        try:
            found = self._made(number)
        except UnknownSchemaError as error:
            return self._not_there(number, error)
        self._known[number] = found
        if len(self._known) > MAX_READERS:
            self._known.popitem(last=False)
        return found

    def _not_there(self, number: Any, error: UnknownSchemaError) -> Reject:
        """Take an id that is unknown for a bad row, and remember it for a while."""
        if len(self._unknown) >= MAX_READERS:
            self._unknown.clear()
        reject = Reject(0, "schema-id", error.message)
        self._unknown[number] = self._clock.monotonic(), reject
        return reject


class ByIdDecoder(BySchemaDecoder):
    """The same, where the registry is one that speaks Confluent's API."""

    def __init__(self, schema: Schema, registry: Registry, location: Location | None, clock: Clock | None) -> None:
        super().__init__(schema, clock)
        self._registry = registry
        self._location = location

    def _framed(self, rows: Rows) -> Framed:
        return unframe(rows)

    def _not_there(self, number: Any, error: UnknownSchemaError) -> Reject:
        """Stop where the registry can't be the one of these rows."""
        if not self._known and not self._registry.subjects():
            hint = "is it the registry of this topic? Its schemas may be lost"
            raise TerminalError(f"{error.message}, and no other", hint=hint, location=self._location) from None
        return super()._not_there(number, error)


def together(schema: Schema, parts: list[tuple[pl.DataFrame, Numbers]], rejects: list[Reject], count: int) -> Decoded:
    """Put rows that were read apart, each with its number, into their order."""
    rejects.sort(key=lambda r: r.row)
    if len(parts) == 1:
        frame, kept = parts[0]
    elif parts:
        kept = np.concatenate([numbers for _, numbers in parts])
        order = np.argsort(kept, kind="stable")
        kept = kept[order]
        frame = pl.concat([f for f, _ in parts])[order] if len(schema) else pl.DataFrame(height=len(kept))
    else:
        frame, kept = schema.empty(), np.empty(0, dtype=np.int64)
    return Decoded(frame, kept if len(kept) < count else None, rejects)
