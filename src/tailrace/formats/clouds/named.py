"""The header of messages whose schema has a name of some bytes: those of AWS Glue and of Azure."""

from __future__ import annotations

import uuid
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.formats.base import HEADERS, Reject, Rows
from tailrace.formats.confluent.framing import frame

Numbers = npt.NDArray[np.int64]
CONTENT_TYPE = "content-type"
_MEDIA = b"avro/binary+"
MOST_BYTES = 1 << 28
"""A row may have so many bytes when it is not compressed."""


@dataclass(frozen=True, slots=True)
class Named:
    """
    Messages by the ids of their schemas.

    `numbers` are the rows that have one, `ids` the bytes of each, `payloads` what is behind it; `rejects` are all other rows.
    """

    numbers: Numbers
    ids: npt.NDArray[np.uint8]
    payloads: Rows
    rejects: list[Reject]

    def by_id(self) -> Iterator[tuple[bytes, Numbers]]:
        """Give each id with the places in `numbers` where it is, ascending."""
        if not len(self.ids):
            return
        keys = np.ascontiguousarray(self.ids).view(f"V{self.ids.shape[1]}").reshape(-1)
        found, which = np.unique(keys, return_inverse=True)
        for k, key in enumerate(found):
            yield key.tobytes(), np.flatnonzero(which == k)


class Framing(ABC):
    """The headers of one kind of registry."""

    begins: tuple[bytes, ...]
    """What a header may begin with; all of one size."""
    width: int
    """The bytes of an id behind that."""
    named: str
    """Whose header it is, in words."""

    @abstractmethod
    def text(self, raw: bytes) -> str:
        """
        Give an id as the registry names it.

        Raises:
            ValueError: the bytes are none.
        """

    @abstractmethod
    def header(self, number: str) -> bytes:
        """Give the header of an id."""

    def framed(self, payloads: Rows, number: str) -> Rows:
        """Put the header of an id before each row."""
        return frame(payloads, self.header(number))

    def unframe(self, rows: Rows) -> Named:
        """Read the headers of rows; a row without bytes, of zero bytes, or with another header is a reject."""
        size = len(self.begins[0]) + self.width
        fits = rows.ends - rows.starts >= size
        if rows.nulls is not None:
            fits &= ~rows.nulls
        numbers = np.flatnonzero(fits)
        heads = rows.data[rows.starts[numbers][:, None] + np.arange(size)]
        before = heads[:, : size - self.width]
        good = np.zeros(len(numbers), dtype=np.bool_)
        for begin in self.begins:
            good |= (before == np.frombuffer(begin, dtype=np.uint8)).all(axis=1)
        numbers, heads = numbers[good], heads[good]
        payloads = Rows(rows.data, rows.starts[numbers] + size, rows.ends[numbers])
        others = np.setdiff1d(np.arange(len(rows)), numbers, assume_unique=True)
        rejects = [Reject(int(n), *self._why(rows.row(int(n)))) for n in others]
        return self._opened(Named(numbers, heads[:, size - self.width :], payloads, rejects), heads)

    def _opened(self, named: Named, heads: npt.NDArray[np.uint8]) -> Named:
        """Decompress what is compressed."""
        del heads
        return named

    def _why(self, row: bytes | None) -> tuple[str, str]:
        if row is None:
            return "tombstone", "a row without bytes (a tombstone)"
        if not row:
            return "empty", "a row of zero bytes"
        return "header", f"has no header of {self.named}, so it names no schema of a registry"


class GlueFraming(Framing):
    """
    AWS Glue's: byte 3, a byte that says how the row is compressed (0: not, 5: zlib), and the sixteen bytes of an UUID.

    >>> GlueFraming().header("00000000-0000-0000-0000-000000000001")[:3].hex()
    '030000'
    """

    begins = (b"\x03\x00", b"\x03\x05")
    width = 16
    named = "AWS Glue's registry"

    def __init__(self, *, compress: bool = False) -> None:
        self._compress = compress

    def text(self, raw: bytes) -> str:
        return str(uuid.UUID(bytes=raw))

    def header(self, number: str) -> bytes:
        return self.begins[self._compress] + uuid.UUID(number).bytes

    def framed(self, payloads: Rows, number: str) -> Rows:
        if not self._compress:
            return super().framed(payloads, number)
        before = self.header(number)
        return Rows.of([before + zlib.compress(payloads.row(n) or b"") for n in range(len(payloads))])

    def _opened(self, named: Named, heads: npt.NDArray[np.uint8]) -> Named:
        packed = heads[:, 1] == self.begins[1][1]
        if not packed.any():
            return named
        bodies: list[bytes | None] = []
        kept: list[int] = []
        rejects = list(named.rejects)
        for place in range(len(named.numbers)):
            body = named.payloads.row(place) or b""
            try:
                bodies.append(_inflated(body) if packed[place] else body)
                kept.append(place)
            except ValueError as error:
                rejects.append(Reject(int(named.numbers[place]), "syntax", str(error)))
        return Named(named.numbers[kept], named.ids[kept], Rows.of(bodies), rejects)


def _inflated(data: bytes) -> bytes:
    inner = zlib.decompressobj()
    try:
        out = inner.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(f"not compressed by zlib, as its header says: {error}") from None
    if not inner.eof or inner.unused_data:
        raise ValueError(f"its compressed bytes end too early or too late, or it has more than {MOST_BYTES >> 20} MB")
    return out


class AzureFraming(Framing):
    """
    Azure's: the 32 digits of the schema's id, behind four zero bytes before the row or in the message's header `content-type`.

    >>> AzureFraming().header("0a" * 16)[4:8]
    b'0a0a'
    """

    begins = (b"\0\0\0\0",)
    width = 32
    named = "Azure's registry"

    def __init__(self, *, beside: bool = False) -> None:
        self._beside = beside

    def framed(self, payloads: Rows, number: str) -> Rows:
        if not self._beside:
            return super().framed(payloads, number)
        entry = {"key": CONTENT_TYPE, "value": _MEDIA + number.encode("ascii")}
        return replace(payloads, headers=pl.Series([[entry]], dtype=HEADERS).new_from_index(0, len(payloads)))

    def unframe(self, rows: Rows) -> Named:
        """Read the ids of rows: where the header `content-type` has one it counts, and all bytes are the record."""
        if rows.headers is None:
            return super().unframe(rows)
        beside, wrong = self._beside_rows(rows, _media_types(rows.headers))
        others = np.setdiff1d(np.arange(len(rows)), np.concatenate([beside.numbers, wrong]), assume_unique=True)
        before = super().unframe(replace(rows, headers=None).take(others))
        reason = "its header 'content-type' has no 32 digits behind 'avro/binary+'"
        rejects = [Reject(int(n), "header", reason) for n in wrong]
        rejects += [Reject(int(others[r.row]), r.code, r.reason) for r in before.rejects]
        numbers = np.concatenate([beside.numbers, others[before.numbers]])
        order = np.argsort(numbers)
        starts = np.concatenate([beside.payloads.starts, before.payloads.starts])[order]
        ends = np.concatenate([beside.payloads.ends, before.payloads.ends])[order]
        ids = np.concatenate([beside.ids, before.ids])[order]
        return Named(numbers[order], ids, Rows(rows.data, starts, ends), rejects)

    def _beside_rows(self, rows: Rows, said: pl.DataFrame) -> tuple[Named, Numbers]:
        """Give the rows of which a header tells the id, and those whose header tells none that can be; not rows without bytes."""
        some = rows.ends > rows.starts if rows.nulls is None else (rows.ends > rows.starts) & ~rows.nulls
        said = said.filter(pl.Series(some[said["row"].to_numpy()]))
        fits = pl.col("id").bin.size() == self.width
        right, wrong = said.filter(fits), said.filter(~fits)["row"].to_numpy()
        ids = np.frombuffer(b"".join(right["id"].to_list()), dtype=np.uint8).reshape(-1, self.width)
        numbers = right["row"].to_numpy()
        return Named(numbers, ids, Rows(rows.data, rows.starts[numbers], rows.ends[numbers]), []), wrong

    def text(self, raw: bytes) -> str:
        text = raw.decode("ascii", "replace").lower()
        if not all(c in "0123456789abcdef" for c in text):
            raise ValueError(f"the id of the schema is not 32 digits but {text!r}")
        return text

    def header(self, number: str) -> bytes:
        return self.begins[0] + number.encode("ascii")


def _media_types(headers: pl.Series) -> pl.DataFrame:
    """Give the ids that the headers of rows name, each with its `row`; of several in one row the last."""
    entries = pl.DataFrame({"row": np.arange(len(headers)), "entry": headers}).explode("entry").unnest("entry")
    own = entries.filter((pl.col("key") == CONTENT_TYPE) & pl.col("value").bin.starts_with(_MEDIA))
    return own.unique("row", keep="last", maintain_order=True).select("row", id=pl.col("value").bin.slice(len(_MEDIA)))
