"""
Rows as values of a cache, and keys of tables as keys of a cache.

A value is a checksum, the fingerprint of the table and query that it is of, a letter, and the rows of its key by MessagePack. Columns go over as
what they are kept as: times and dates as numbers, decimals as texts, so that all come back exactly.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import polars as pl

from tailrace.connectors.texts import key_texts
from tailrace.schema import Field, Schema

FOUND, NOTHING, PENDING = b"F", b"N", b"P"
"""The key has rows; it has none; somebody just asks for it."""

MOST_KEY_BYTES = 250
_HEAD = 4 + 16
_UNSAFE = r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""Blanks and control characters, which a key of memcached can't have."""


def fingerprint(parts: Iterable[str]) -> bytes:
    """
    Give 16 bytes that are others for other texts.

    >>> fingerprint(["a", "b"]) == fingerprint(["ab"])
    False
    """
    return hashlib.blake2b(msgspec.json.encode(list(parts)), digest_size=16).digest()


def cache_keys(keys: pl.DataFrame, fields: Sequence[Field], prefix: str) -> list[str]:
    """
    Give the key in the cache of each row; one that is too long or has a blank or control character is hashed.

    >>> from tailrace.schema import STRING
    >>> cache_keys(pl.DataFrame({"k": ["a", "a b"]}), [Field("k", STRING)], "p:")[0]
    'p:=a'
    """
    texts = key_texts(keys, fields).alias("key")
    given = pl.col("key")
    unsafe = (given.str.len_bytes() > MOST_KEY_BYTES - len(prefix.encode()) - 1) | given.str.contains(_UNSAFE)
    plain = texts.to_frame().select(pl.when(~unsafe).then(pl.concat_str(pl.lit(f"{prefix}="), given)).alias("key"))[
        "key"
    ]
    found: list[str] = plain.to_list()
    for i in plain.is_null().arg_true().to_list():
        found[i] = f"{prefix}#{hashlib.blake2b(texts[i].encode(), digest_size=24).hexdigest()}"
    return found


class Values:
    """Writes and reads the values of one table and query, which its fingerprint tells from all others."""

    def __init__(self, schema: Schema, mark: bytes) -> None:
        self.schema = schema.polars
        self._kept = {name: _kept(type_) for name, type_ in self.schema.items()}
        self._mark = mark
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[list[Any]])
        self.nothing = self._framed(NOTHING)
        self.pending = self._framed(PENDING)

    def write(self, rows: pl.DataFrame, owners: Sequence[str], wanted: Iterable[str]) -> dict[str, bytes]:
        """Give the value of each key that is wanted; `owners` has the key of each row."""
        of_key: dict[str, list[tuple[Any, ...]]] = {key: [] for key in wanted}
        plain = rows.select([pl.col(n).cast(t) for n, t in self._kept.items()]).rows()
        for owner, row in zip(owners, plain, strict=True):
            if owner in of_key:
                of_key[owner].append(row)
        return {k: self._framed(FOUND, self._encoder.encode(v)) if v else self.nothing for k, v in of_key.items()}

    def _framed(self, kind: bytes, body: bytes = b"") -> bytes:
        rest = self._mark + kind + body
        return zlib.crc32(rest).to_bytes(4, "big") + rest

    def kind(self, value: bytes) -> bytes | None:
        """Tell what a value says; None if it is damaged, or of another table, query or version."""
        if value[4:_HEAD] != self._mark or zlib.crc32(value[4:]).to_bytes(4, "big") != value[:4]:
            return None
        kind = value[_HEAD : _HEAD + 1]
        return kind if kind in (FOUND, NOTHING, PENDING) else None

    def read(self, values: Iterable[bytes]) -> pl.DataFrame:
        """Give all rows of values; those of keys that have none are nowhere."""
        rows = [row for v in values if len(v) > _HEAD + 1 for row in self._decoder.decode(v[_HEAD + 1 :])]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(self._kept)
        series = [pl.Series(n, c, dtype=t) for (n, t), c in zip(self._kept.items(), columns, strict=True)]
        return pl.DataFrame(series).select([pl.col(n).cast(t) for n, t in self.schema.items()])


def _kept(of: Any) -> pl.DataType:
    """Give the type that a column is kept as: one that MessagePack carries without loss."""
    made: pl.DataType = of() if isinstance(of, type) else of  # Polars also takes the class
    if isinstance(made, pl.List):
        return pl.List(_kept(made.inner))
    if isinstance(made, pl.Struct):
        return pl.Struct([pl.Field(f.name, _kept(f.dtype)) for f in made.fields])
    if isinstance(made, pl.Decimal):
        return pl.String()
    if isinstance(made, pl.Datetime | pl.Duration | pl.Time):
        return pl.Int64()
    return pl.Int32() if isinstance(made, pl.Date) else made
