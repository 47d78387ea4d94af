"""
What a format is: a decoder from rows of bytes to columns, and an encoder from columns to rows of bytes.

Formats know nothing of where bytes come from or go to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.errors import ConfigError
from tailrace.options import OptionSet, Values
from tailrace.schema import Kind, Schema

HEADERS = pl.List(pl.Struct({"key": pl.String, "value": pl.Binary}))
"""The Polars type of the headers of rows: a MAP<STRING, BYTES>."""


@dataclass(frozen=True, slots=True)
class Rows:
    """
    Rows of bytes in one buffer: row i is `data[starts[i]:ends[i]]`.

    `data` is uint8, `starts` and `ends` int64. `nulls` (bool) marks rows that have no bytes at all (a tombstone); None
    if there are none. Bytes between rows (as line ends) belong to nobody. `headers` (of type `HEADERS`) stand beside the bytes,
    where rows are messages that have some and the format reads or writes them.
    """

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    nulls: npt.NDArray[np.bool_] | None = None
    headers: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def row(self, i: int) -> bytes | None:
        """Give the bytes of one row; None for a row without."""
        if self.nulls is not None and self.nulls[i]:
            return None
        return self.data[self.starts[i] : self.ends[i]].tobytes()

    def take(self, numbers: npt.NDArray[np.int64]) -> Rows:
        """
        Give some rows, by their numbers; the bytes stay where they are.

        >>> Rows.of([b"a", b"b", b"c"]).take(np.array([2])).row(0)
        b'c'
        """
        nulls = None if self.nulls is None else self.nulls[numbers]
        headers = None if self.headers is None else self.headers.gather(numbers)
        return Rows(self.data, self.starts[numbers], self.ends[numbers], nulls, headers)

    @classmethod
    def of(cls, values: list[bytes | None]) -> Rows:
        """
        Make rows from Python bytes; for tests and small inputs.

        >>> Rows.of([b"one", None, b"three"]).row(2)
        b'three'
        """
        sizes = np.array([len(v or b"") for v in values], dtype=np.int64)
        ends = np.cumsum(sizes, dtype=np.int64)
        data = np.frombuffer(b"".join(v or b"" for v in values), dtype=np.uint8)
        nulls = np.array([v is None for v in values], dtype=np.bool_)
        return cls(data, ends - sizes, ends, nulls if nulls.any() else None)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: its number in the `Rows`, a stable code and the reason in words (no payload)."""

    row: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """
    Columns of the rows that could be read, in order, and the rows that could not.

    `kept` (int64) has the number in the `Rows` of each row of `frame`, ascending; None if all rows were read. A format with
    row kinds adds the column `batch.KIND`; it may give two rows for one.
    """

    frame: pl.DataFrame
    kept: npt.NDArray[np.int64] | None = None
    rejects: list[Reject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MetadataKey:
    """A metadata column that a connector or format offers: its key, its Flink type as SQL, and whether it can be written."""

    key: str
    type: str
    doc: str
    writable: bool = False


class Decoder(ABC):
    """Turns rows of bytes into the columns of one schema. Used by one thread at a time."""

    @abstractmethod
    def decode(self, rows: Rows) -> Decoded:
        """
        Give the columns of the schema, in its order and with its Polars types.

        Never raises for what is in the rows: each bad one is a `Reject`, all others go on. A row without bytes
        (tombstone) or of zero bytes is a reject, unless the format gives it a meaning.

        Raises:
            TransientError: what is needed to read them (a schema registry) is away; the same rows come again.
            TerminalError: it can't be had.
        """

    def check(self) -> str:
        """Reach what is needed to read rows (a schema registry), and say what is there; empty if nothing is needed."""
        return ""


class Encoder(ABC):
    """Turns columns into rows of bytes. Used by one thread at a time."""

    header: bytes = b""
    """What stands once at the start of each file (as the names of CSV), with its line end."""

    def open(self) -> None:
        """
        Prepare to write, before the first row: as to register a schema; may be called again.

        Raises:
            TransientError, TerminalError: what is needed for it is away, or can't be had.
            ConfigError: rows of this table can't be written there.
        """

    def check(self) -> str:
        """Reach what is needed to write, and say what is there; changes nothing. Empty if nothing is needed."""
        return ""

    @abstractmethod
    def encode(self, frame: pl.DataFrame) -> Rows:
        """
        Give one row of bytes for each row of the frame.

        Formats of lines put one line feed behind each row in `data` (outside the rows), so that a file is `data` as it is.
        """


def refuse_variants(schema: Schema, format_name: str) -> None:
    """
    Refuse columns with values of VARIANT, which no format can carry.

    Raises:
        ConfigError: there is one.
    """
    for name, kind in ((f.name, f.type) for f in schema):
        if kind.holds(Kind.VARIANT):
            message = f"the format '{format_name}' can't carry the column '{name}' of type {kind.sql()}"
            raise ConfigError(message, hint="keep the JSON as a STRING there")


@dataclass(frozen=True, slots=True)
class FoundColumns:
    """The columns that a format has found by itself, and options of the format that say more of them."""

    columns: Schema
    options: dict[str, str] = field(default_factory=dict)


class Format(ABC):
    """A format by name: its options, and how decoders and encoders are made from them."""

    name: str
    options: OptionSet
    metadata: tuple[MetadataKey, ...] = ()
    """Metadata columns of the rows; a table names them with `value.` before the key."""
    reads_headers: bool = False
    """Whether headers of messages say how their bytes are to be read."""
    changes: bool = False
    """Whether rows have row kinds: a table of this format can be updated."""

    def columns(self, options: Values) -> FoundColumns | None:
        """
        Find the columns of a table that is declared without, as in a schema registry; None if the format can't.

        Raises:
            ConfigError, TransientError, TerminalError: it could, and they are not to be had.
        """
        return None

    def on_topic(self, topic: str, *, key: bool) -> Format:
        """Give the same format for the rows of a topic, or for their keys: formats of a registry name subjects by it."""
        return self

    def with_metadata(self, keys: Sequence[str]) -> Format:
        """Give the same format, whose decoders also give these metadata columns, named by `value.` and the key."""
        return self

    @abstractmethod
    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        """
        Make a decoder that gives just the columns of `schema` (fields of the input beyond it are skipped).

        `whole` has all columns of the rows, in the order in which formats without names have them; default `schema`.

        Raises:
            ConfigError: a type that the format can't read.
        """

    @abstractmethod
    def encoder(self, schema: Schema, options: Values) -> Encoder:
        """
        Make an encoder for frames of `schema`.

        Raises:
            ConfigError: a type that the format can't write.
        """
