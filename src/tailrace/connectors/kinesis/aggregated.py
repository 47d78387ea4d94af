"""
Records that Kinesis's producer library has put into one: four magic bytes, a Protobuf message, and the MD5 of it.

The message has a table of partition keys (field 1), one of explicit hash keys (2), and records (3), each with the numbers of its keys in
the tables (1, 2) and its bytes (3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST = 16
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Part(NamedTuple):
    """One record of several; `hash_key` says in which shard it belongs, where its partition key does not."""

    key: str
    hash_key: int | None
    payload: bytes


def parts(data: bytes) -> list[Part] | None:
    """
    Take a record apart; None for one that is a record of its own.

    >>> parts(b"{}") is None
    True
    """
    if len(data) < len(MAGIC) + _DIGEST or not data.startswith(MAGIC):
        return None
    body, digest = data[len(MAGIC) : -_DIGEST], data[-_DIGEST:]
    if hashlib.md5(body, usedforsecurity=False).digest() != digest:
        return None
    try:
        return _read(body)
    except (ValueError, IndexError):  # it only looked like one
        return None


def _read(body: bytes) -> list[Part]:
    keys: list[str] = []
    hashes: list[int] = []
    records: list[bytes] = []
    for number, value in _fields(body):
        if isinstance(value, bytes):
            if number == 1:
                keys.append(value.decode())
            elif number == 2:
                hashes.append(int(value))
            elif number == 3:
                records.append(value)
    return [_part(record, keys, hashes) for record in records]


def _part(record: bytes, keys: list[str], hashes: list[int]) -> Part:
    key = 0
    hash_key: int | None = None
    payload = b""
    for number, value in _fields(record):
        if number == 1 and isinstance(value, int):
            key = value
        elif number == 2 and isinstance(value, int):
            hash_key = hashes[value]
        elif number == 3 and isinstance(value, bytes):
            payload = value
    return Part(keys[key], hash_key, payload)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give the fields of a message by number; IndexError and ValueError where it is none."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in {_FIXED64, _FIXED32}:
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("no kind of field")
        if at + size > end:
            raise ValueError("it ends too early")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number that is too long")


@lru_cache(10_000)
def hash_of(key: str) -> int:
    """
    Give the hash by which a partition key belongs to a shard.

    >>> hash_of("a")
    16955237001963240173058271559858726497
    """
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest())


def belongs(part: Part, keys: tuple[int, int] | None) -> bool:
    """
    Tell whether a part is in the right shard, whose least and greatest hashes these are.

    The library sends a part again, to the right shard, that it has put into the wrong one before it heard of a split or merge.
    """
    found = part.hash_key if part.hash_key is not None else hash_of(part.key)
    return keys is None or keys[0] <= found <= keys[1]
